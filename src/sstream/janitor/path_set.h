#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace sstream {

/// Very many paths in eight bytes each: their hashes. contains() never misses a path that was
/// added; one in 2^64 that was not added is said to be in, which for the janitor means that it
/// stays.
class PathSet {
 public:
  void add(std::string_view path);

  /// To be called after the last add() and before the first contains().
  void seal();

  bool contains(std::string_view path) const;

  /// Distinct paths; after seal().
  std::size_t size() const { return hashes_.size(); }

 private:
  std::vector<std::uint64_t> hashes_;
};

}  // namespace sstream
