#pragma once

#include <string>

#include "sstream/format/product_tree.h"

namespace meph2 {

/// What a stream without a label of its own is called.
inline constexpr const char* release_label = "release";

/// A content id taken apart: com.ubuntu.maas:candidate:v3:download is com.ubuntu.maas:v3:download
/// with the label candidate; com.ubuntu.maas:v3:download has the label release.
struct LabelledId {
  std::string label;
  std::string bare;
};

LabelledId split_label(const std::string& content_id);

/// A product of a stream with that label, without it: com.ubuntu.maas.candidate:v3:boot:... becomes
/// com.ubuntu.maas:v3:boot:...
std::string bare_product(const std::string& product, const std::string& label);

/// The other way round.
std::string labelled_product(const std::string& bare, const std::string& label);

/// Takes the label off everything below the product and sets it there.
void set_label(sstream::Json& product, const std::string& label);

}  // namespace meph2
