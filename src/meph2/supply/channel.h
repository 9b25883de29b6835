#pragma once

#include <string>
#include <vector>

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

/// A content id or product without the channel of what is not released yet, daily or candidate,
/// and with any other label: com.ubuntu.maas:candidate:v3:download and
/// com.ubuntu.maas.daily:v3:boot:... become com.ubuntu.maas:v3:...
std::string without_channel(const std::string& name);

/// A product of the tree with these versions of it only, which it has, under that label: it is
/// taken off everything below the product.
sstream::Json relabelled(const sstream::ProductTree& tree, const std::string& product,
                         const std::vector<std::string>& versions, const std::string& label);

}  // namespace meph2
