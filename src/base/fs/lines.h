#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/fs/file.h"

namespace base {

/// The lines of a file from its start, without their ends, through one buffer that holds the
/// longest of them. `file` has to outlive it.
class Lines {
 public:
  explicit Lines(File& file) : file_(&file), buffer_(buffer_size) {}

  /// false: there are no more. `line` is valid until the next call.
  bool next(std::string_view& line);

 private:
  static constexpr std::size_t buffer_size = 262'144;

  bool refill();

  File* file_;
  std::vector<char> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
};

}  // namespace base
