#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/fs/file.h"

namespace sstream {

/// Texts of any number, in little memory: many of them wait in a file without a name, written and
/// read ahead in large pieces, so that reading in the order of writing is fast. To be used by one
/// thread at a time.
class Spool {
 public:
  /// Where a text is.
  struct Piece {
    std::uint64_t offset = 0;
    std::size_t length = 0;
  };

  /// `name`: what messages call it.
  explicit Spool(std::string name) : name_(std::move(name)) {}

  /// Returns where the text begins. Error(failed) of the disk.
  std::uint64_t append(std::string_view text);

  /// Where the next text will begin.
  std::uint64_t end() const { return written_ + waiting_.size(); }

  /// So many bytes, from `offset` on. Valid until the next call of anything. Error(failed) where
  /// they are not there.
  std::string_view piece(std::uint64_t offset, std::size_t length);

  Piece add(std::string_view text) { return {append(text), text.size()}; }

  std::string_view piece(const Piece& piece) { return this->piece(piece.offset, piece.length); }

 private:
  std::string_view window_from(std::uint64_t offset) const;
  [[noreturn]] void throw_cut_short() const;
  std::string_view fill(std::uint64_t offset, std::size_t size);

  std::string name_;
  base::File file_;  ///< from the first write on
  std::uint64_t written_ = 0;
  std::string waiting_;  ///< not written yet
  std::string window_;   ///< what was read last
  std::uint64_t window_start_ = 0;
};

}  // namespace sstream
