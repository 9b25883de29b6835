#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sstream/format/product_tree.h"

namespace sstream {

/// One KEY OP VALUE expression (streams.md 2.6): OP is =, !=, ~ or !~. A missing key is "". Regular
/// expressions are Python's as io::Regex reads them; others are Error(usage), and so are more than
/// 1000 bytes of one.
class Filter {
 public:
  /// Error(usage) "Unable to parse expression TEXT".
  explicit Filter(const std::string& expression);
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;
  ~Filter();

  const std::string& key() const;
  /// Error(untrusted) for a regular expression against a value of more than 4096 bytes;
  /// Error(usage) naming the expression where it takes too long to search for.
  bool matches(std::string_view value) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// All of them must match.
class Filters {
 public:
  Filters() = default;
  explicit Filters(const std::vector<std::string>& expressions);

  bool empty() const { return filters_.empty(); }

  bool matches(const Item& item) const;
  bool matches(const Tags& tags) const;

 private:
  std::vector<Filter> filters_;
};

}  // namespace sstream
