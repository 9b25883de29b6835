#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sstream/format/filter.h"

namespace meph2 {

using Labels = std::vector<std::string>;

/// What a patch wants of one product, or of all that a pattern matches.
struct ProductPatch {
  std::string pattern;
  std::string where;       ///< "FILE:LINE:COLUMN: /pointer"
  sstream::Filter filter;  ///< the pattern, on a tag that holds the whole bare name
  std::optional<Labels> labels = {};
  std::map<std::string, Labels> versions = {};
  /// Tag -> label -> value, null for none.
  std::map<std::string, std::map<std::string, io::Json>> tags = {};
  bool compares_items = false;  ///< it says how items differ, which nobody can apply

  bool matches(const std::string& bare_name) const { return filter.matches(bare_name); }
};

/// What a patch wants of one stream.
struct StreamPatch {
  std::string name;  ///< content id without its label, and .json
  std::string where;
  std::vector<ProductPatch> products = {};
  bool not_merged = false;
};

/// Reads what `meph2-util diff` writes (meph2/verbs/diff.h), as YAML or JSON; an unquoted date is a
/// text. Empty for an empty document. Error(usage) naming line and column for what is no patch: a
/// label list or a tag of another form, a key that is an item's own or that makes the tree, a
/// pattern that is no regular expression.
std::vector<StreamPatch> parse_patch(std::string_view text, const std::string& name);

/// Does the list name a label? LABEL:target counts for LABEL, as diff writes it.
bool has_label(const Labels& labels, const std::string& label);

}  // namespace meph2
