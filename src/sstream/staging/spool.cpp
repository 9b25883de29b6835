#include "sstream/staging/spool.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"

namespace sstream {

namespace {

constexpr std::size_t written_at_once = 65'536;
constexpr std::size_t read_at_once = 16'384;

}  // namespace

void Spool::throw_cut_short() const {
  throw base::Error(base::Errc::failed, base::cat(name_, ": is cut short"));
}

std::uint64_t Spool::append(std::string_view text) {
  const auto offset = end();
  waiting_ += text;
  if (waiting_.size() >= written_at_once) {
    if (file_.fd() < 0) {
      file_ = base::unnamed_file(name_);
    }
    file_.write(waiting_);
    written_ += waiting_.size();
    waiting_.clear();
  }
  return offset;
}

std::string_view Spool::window_from(std::uint64_t offset) const {
  const bool inside = offset >= window_start_ && offset - window_start_ < window_.size();
  return inside ? std::string_view(window_).substr(offset - window_start_) : std::string_view();
}

/// What there is from `offset` on, `size` bytes if there are so many.
std::string_view Spool::fill(std::uint64_t offset, std::size_t size) {
  window_start_ = offset;
  window_.resize(std::min<std::uint64_t>(size, offset < written_ ? written_ - offset : 0));
  std::size_t done = 0;
  while (done < window_.size()) {
    const auto got = file_.read_at({window_.data() + done, window_.size() - done}, offset + done);
    if (got == 0) {
      throw_cut_short();
    }
    done += got;
  }
  const auto next = offset + done;
  if (next >= written_ && next - written_ < waiting_.size()) {
    window_ += std::string_view(waiting_).substr(next - written_, size - done);
  }
  return window_;
}

std::string_view Spool::piece(std::uint64_t offset, std::size_t length) {
  auto text = window_from(offset);
  if (text.size() < length) {
    text = fill(offset, std::max(length, read_at_once));
  }
  if (text.size() < length) {
    throw_cut_short();
  }
  return text.substr(0, length);
}

}  // namespace sstream
