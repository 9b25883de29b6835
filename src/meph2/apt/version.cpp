#include "meph2/apt/version.h"

namespace meph2::apt {

namespace {

int order(std::string_view text, std::size_t at) {
  if (at >= text.size()) {
    return 0;
  }
  const char c = text[at];
  if (c == '~') {
    return -1;
  }
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter ? c : c + 256;
}

bool is_digit(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

/// The part of `text` from `at` that is digits, without leading zeros; moves `at` behind it.
std::string_view digits(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == '0') {
    ++at;
  }
  const auto start = at;
  while (is_digit(text, at)) {
    ++at;
  }
  return text.substr(start, at - start);
}

/// Compares up to the next digit of both, as strcmp does, and moves behind that.
int compare_text(std::string_view left, std::size_t& i, std::string_view right, std::size_t& j) {
  while ((i < left.size() && !is_digit(left, i)) || (j < right.size() && !is_digit(right, j))) {
    const int a = is_digit(left, i) ? 0 : order(left, i);
    const int b = is_digit(right, j) ? 0 : order(right, j);
    if (a != b) {
      return a < b ? -1 : 1;
    }
    ++i;
    ++j;
  }
  return 0;
}

/// As strcmp does.
int compare_part(std::string_view left, std::string_view right) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < left.size() || j < right.size()) {
    if (const int texts = compare_text(left, i, right, j); texts != 0) {
      return texts;
    }
    const auto a = digits(left, i);
    const auto b = digits(right, j);
    if (a.size() != b.size()) {
      return a.size() < b.size() ? -1 : 1;
    }
    if (a != b) {
      return a < b ? -1 : 1;
    }
  }
  return 0;
}

struct Version {
  std::string_view epoch;
  std::string_view upstream;
  std::string_view revision;

  explicit Version(std::string_view text) {
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
      epoch = text.substr(0, colon);
      text.remove_prefix(colon + 1);
    }
    const auto dash = text.rfind('-');
    upstream = text.substr(0, dash);
    revision = dash == std::string_view::npos ? std::string_view() : text.substr(dash + 1);
  }
};

}  // namespace

bool version_less(std::string_view left, std::string_view right) {
  const Version a(left);
  const Version b(right);
  const int epochs = compare_part(a.epoch, b.epoch);
  const int upstreams = compare_part(a.upstream, b.upstream);
  return epochs != 0      ? epochs < 0
         : upstreams != 0 ? upstreams < 0
                          : compare_part(a.revision, b.revision) < 0;
}

}  // namespace meph2::apt
