#include "base/fs/lines.h"

#include <algorithm>

namespace base {

bool Lines::next(std::string_view& line) {
  while (true) {
    const auto rest = std::string_view(buffer_.data() + at_, end_ - at_);
    const auto end = rest.find('\n');
    if (end != rest.npos) {
      line = rest.substr(0, end);
      at_ += end + 1;
      return true;
    }
    if (!refill()) {
      line = rest;
      at_ = end_;
      return !rest.empty();
    }
  }
}

bool Lines::refill() {
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(at_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  end_ -= at_;
  at_ = 0;
  if (end_ == buffer_.size()) {
    buffer_.resize(buffer_.size() * 2);
  }
  const auto got = file_->read_at({buffer_.data() + end_, buffer_.size() - end_}, offset_);
  offset_ += got;
  end_ += got;
  return got > 0;
}

}  // namespace base
