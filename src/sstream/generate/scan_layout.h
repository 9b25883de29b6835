#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "sstream/generate/item_list.h"

namespace sstream {

/// Text with {NAMES} in it: where things stand in the path of a file, or how a product is called.
class ScanLayout {
 public:
  /// `option` is for messages. Error(usage) where it has no closing brace, an empty name, one
  /// name twice, or two names with nothing between them.
  ScanLayout(const std::string& text, const std::string& option);

  const std::vector<std::string>& names() const { return names_; }

  bool has(std::string_view name) const;

  /// What the names stand for in `text`; nullopt where it does not fit. A name stands for at least
  /// one character and no slash, and for as little as fits.
  std::optional<std::map<std::string, std::string>> match(std::string_view text) const;

  /// The text with the names replaced. Error(usage) for a name that `values` lacks.
  std::string fill(const std::map<std::string, std::string>& values) const;

 private:
  struct Part {
    bool is_name;
    std::string text;
  };

  void add_name(const std::string& name);
  bool match_from(std::size_t part, std::string_view rest,
                  std::map<std::string, std::string>& values) const;

  std::string option_;
  std::vector<Part> parts_;
  std::vector<std::string> names_;
};

struct ScanOptions {
  std::string directory;
  std::string layout = "{release}/{arch}/{version}/{item}";
  std::string product;  ///< layout of product names; empty: CONTENT_ID and the other names
  std::string content_id;
  std::map<std::string, std::string> tags;  ///< what the product's layout may use besides
};

struct ScanResult {
  std::vector<ItemRecord> records;    ///< paths are relative to the directory
  std::vector<std::string> left_out;  ///< "PATH: reason", of what is no item
};

/// Makes a list of items of the files below a directory: the names of the layout, but for product,
/// version and item, become tags; `ftype` is the item's name, or the other way round. Files whose
/// name begins with a dot are passed over, and so are streams/ and .data/ at the top; symbolic
/// links and what does not fit the layout are left out and said. Error(usage) for a layout without
/// version or without item and ftype.
ScanResult scan_directory(const ScanOptions& options, const std::stop_token& stop = {});

}  // namespace sstream
