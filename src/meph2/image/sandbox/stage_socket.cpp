#include "meph2/image/sandbox/stage_socket.h"

#include <array>
#include <cerrno>

#include <sys/socket.h>

#include "base/error.h"
#include "base/strings.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

constexpr std::size_t longest_head = 256;
constexpr std::size_t piece = 1U << 18U;

void require_within(const StageSocket::Head& head, std::uint64_t limit) {
  if (head.size > limit) {
    throw Error(Errc::untrusted,
                base::cat("the stage's ", head.kind, " ", head.name, ": ", head.size,
                          " bytes, more than the ", limit, " that it may have"));
  }
}

}  // namespace

std::pair<StageSocket, StageSocket> StageSocket::make() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    base::throw_errno(errno, "make", "socket");
  }
  return {StageSocket(base::UniqueFd(ends[0])), StageSocket(base::UniqueFd(ends[1]))};
}

void StageSocket::shut() const {
  ::shutdown(file_.fd(), SHUT_RDWR);
}

void StageSocket::send_text(std::string_view kind, std::string_view text) {
  file_.write(base::cat(kind, " - ", text.size(), "\n"));
  file_.write(text);
}

void StageSocket::send_file(const std::string& name, base::File& from) {
  auto left = from.size();
  file_.write(base::cat("file ", name, " ", left, "\n"));
  std::string buffer(piece, '\0');
  while (left > 0) {
    const auto count = from.read(std::span(buffer).first(std::min<std::uint64_t>(left, piece)));
    if (count == 0) {
      throw Error(Errc::untrusted, base::cat("read ", from.name(), ": it became shorter"));
    }
    file_.write(std::string_view(buffer).substr(0, count));
    left -= count;
  }
}

std::optional<StageSocket::Head> StageSocket::next() {
  std::string line;
  std::array<char, 1> byte{};
  while (line.size() < longest_head && file_.read(byte) == 1 && byte[0] != '\n') {
    line += byte[0];
  }
  if (line.empty() && byte[0] == '\0') {
    return std::nullopt;
  }
  const auto words = base::split(line, ' ');
  const auto size = words.size() == 3 ? base::parse_decimal(words[2]) : std::nullopt;
  if (byte[0] != '\n' || !size) {
    throw Error(Errc::untrusted,
                base::cat("the stage's socket: '", base::escape_control(line), "' is no message"));
  }
  return Head{words[0], words[1], *size};
}

std::string StageSocket::text(const Head& head, std::uint64_t limit) {
  require_within(head, limit);
  std::string out(head.size, '\0');
  for (std::size_t at = 0; at < out.size();) {
    const auto count = file_.read(std::span(out).subspan(at));
    if (count == 0) {
      throw Error(Errc::untrusted, base::cat("the stage's ", head.kind, ": it was cut off"));
    }
    at += count;
  }
  return out;
}

void StageSocket::copy_to(const Head& head, std::uint64_t limit, base::File& to) {
  require_within(head, limit);
  std::string buffer(piece, '\0');
  for (auto left = head.size; left > 0;) {
    const auto count = file_.read(std::span(buffer).first(std::min<std::uint64_t>(left, piece)));
    if (count == 0) {
      throw Error(Errc::untrusted, base::cat("the stage's ", head.name, ": it was cut off"));
    }
    to.write(std::string_view(buffer).substr(0, count));
    left -= count;
  }
}

}  // namespace meph2::image
