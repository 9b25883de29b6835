#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/fs/file.h"

namespace base {

/// The directories of paths, kept open, a bounded number of them: many files lie in few.
class ParentCache {
 public:
  enum class Absent { left, made };

  explicit ParentCache(Absent absent = Absent::left) : absent_(absent) {}

  /// The directory of `path`, as open_parent_beneath() opens it below `root`; where there is none
  /// and none is made an empty File, which is remembered as well. Valid until the next call.
  const File& of(int root, const std::string& path);

  /// Makes the names in all of them last, and closes them.
  void sync();

 private:
  static constexpr std::size_t most_open = 64;

  Absent absent_;
  std::map<std::pair<int, std::string>, File> open_;
};

}  // namespace base
