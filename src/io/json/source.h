#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <xxhash.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/strings.h"

// What the two readers of JSON share: the bytes, and what they remember of an object.

namespace io::detail {

enum class Lines : std::uint8_t { counted, ignored };

/// Where the parser's bytes come from: a text in memory, or a file read through one buffer. Where
/// lines are counted it knows the line and column of the byte that was handed out last.
class ByteSource {
 public:
  ByteSource(std::string_view text, const std::string& name)
      : name_(name), start_(text.data()), at_(start_), end_(start_ + text.size()) {}

  ByteSource(const base::File& file, std::uint64_t max_bytes, Lines lines)
      : file_(&file),
        name_(file.name()),
        max_bytes_(max_bytes),
        counting_(lines == Lines::counted),
        buffer_(buffer_size) {
    start_ = at_ = end_ = buffer_.data();
    refill();
  }

  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ~ByteSource() = default;

  bool at_end() const { return at_ == end_; }

  const char& current() const { return *at_; }

  void advance() { skip(1); }

  bool starts_with(std::string_view bytes) const { return window().starts_with(bytes); }

  /// What can be read without waiting for more; empty at the end only.
  std::string_view window() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  /// Hands out the first `count` bytes of the window.
  void skip(std::size_t count) {
    at_ += count;
    if (at_ == end_ && file_ != nullptr) {
      refill();
    }
  }

  const std::string& name() const { return name_; }

  /// Bytes handed out so far.
  std::uint64_t consumed() const { return before_ + static_cast<std::uint64_t>(at_ - start_); }

  /// "LINE:COLUMN" of the byte at `offset`, which must be one of the last handed out.
  std::string position(std::uint64_t offset) const {
    const auto length = offset > before_ ? static_cast<std::ptrdiff_t>(offset - before_) : 0;
    const char* stop = start_ + std::min(length, end_ - start_);
    const auto line = lines_ + static_cast<std::uint64_t>(std::count(start_, stop, '\n')) + 1;
    const auto newline =
        std::find(std::reverse_iterator(stop), std::reverse_iterator(start_), '\n');
    const auto line_start = newline.base() == start_
                                ? line_start_
                                : before_ + static_cast<std::uint64_t>(newline.base() - start_);
    return base::cat(line, ":", std::max(offset, line_start) - line_start + 1);
  }

 private:
  static constexpr std::size_t buffer_size = 262'144;

  void refill() {
    const std::string_view done(start_, static_cast<std::size_t>(end_ - start_));
    if (counting_) {
      lines_ += static_cast<std::uint64_t>(std::count(done.begin(), done.end(), '\n'));
      if (const auto newline = done.rfind('\n'); newline != std::string_view::npos) {
        line_start_ = before_ + newline + 1;
      }
    }
    before_ += done.size();
    const auto got = file_->read_at(buffer_, before_);
    if (before_ + got > max_bytes_) {
      throw base::Error(base::Errc::untrusted,
                        base::cat(name_, ": larger than ", base::human_bytes(max_bytes_)));
    }
    at_ = start_;
    end_ = start_ + got;
  }

  const base::File* file_ = nullptr;
  const std::string& name_;
  std::uint64_t max_bytes_ = 0;
  bool counting_ = true;
  std::vector<char> buffer_;
  const char* start_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::uint64_t before_ = 0;      ///< bytes of earlier buffers
  std::uint64_t lines_ = 0;       ///< line ends in earlier buffers
  std::uint64_t line_start_ = 0;  ///< offset of the line that the buffer begins in
};

/// The keys of one object, by 128-bit digest: exact for any practical purpose, and 16 bytes a key
/// however long the keys are. (Two keys made to collide are refused as duplicates: harmless.)
class KeySet {
 public:
  void clear() {
    few_.clear();
    many_.clear();
  }

  /// false if it was there already.
  bool insert(const std::string& key) {
    const XXH128_hash_t digest = XXH3_128bits(key.data(), key.size());
    const Entry entry{digest.low64, digest.high64};
    if (!many_.empty()) {
      return many_.insert(entry).second;
    }
    if (std::find(few_.begin(), few_.end(), entry) != few_.end()) {
      return false;
    }
    few_.push_back(entry);
    if (few_.size() > few_limit) {
      many_.insert(few_.begin(), few_.end());
    }
    return true;
  }

 private:
  using Entry = std::pair<std::uint64_t, std::uint64_t>;

  struct Hash {
    std::size_t operator()(const Entry& entry) const { return entry.first; }
  };

  static constexpr std::size_t few_limit = 24;  ///< beyond it a linear search loses

  std::vector<Entry> few_;
  std::unordered_set<Entry, Hash> many_;
};

}  // namespace io::detail
