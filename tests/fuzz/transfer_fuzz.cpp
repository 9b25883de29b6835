// A server that answers as it likes, to a download that may have a part already: what counts as
// done is the promised file, byte for byte, and never is there a byte more in it.
//
// The input: a byte for how much of the file is there, then answers, each the lines of a head, an
// empty line, and a line of pieces: "=N" sends the next N right bytes, anything else itself.
#include <string>

#include <sys/mman.h>

#include "base/progress.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "io/http/download.h"
#include "tests/fuzz/fuzz.h"

namespace {

constexpr std::string_view content = "The promised bytes, all 40 of them here.";

/// A download whose network we are.
class Played : public io::DownloadTransfer {
 public:
  using io::DownloadTransfer::DownloadTransfer;

  /// One answer; true: the file is complete.
  bool answer(std::string_view head, std::string_view body) {
    io::curl::Easy easy;
    prepare(easy);
    sent_ = 0;
    try {
      io::ResponseHead read;
      while (!head.empty()) {
        const auto end = std::min(head.find('\n'), head.size() - 1);
        read.take_line(head.substr(0, end + 1));
        head.remove_prefix(end + 1);
      }
      sent_ = read.range ? read.range->first : 0;
      accept(read);
      for (const auto& piece : base::split(body, ' ')) {
        send(piece);
      }
      complete();
      return true;
    } catch (const io::Rejected& rejected) {
      over_ = rejected.fault == io::Fault::dead_url || rejected.fault == io::Fault::fatal;
      if (rejected.fault == io::Fault::restart) {
        restart();
      }
      return false;
    }
  }

  bool over() const { return over_; }

  bool there_already() { return satisfied(); }

 private:
  void send(std::string_view piece) {
    if (!piece.starts_with('=')) {
      take(piece);
      return;
    }
    const auto count = base::parse_decimal(piece.substr(1)).value_or(1);
    const auto right = sent_ < content.size() ? content.substr(sent_, count) : std::string_view();
    take(right);
    sent_ += right.size();
  }

  std::uint64_t sent_ = 0;
  bool over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = fuzz::text_of(data, size);
  if (text.empty()) {
    return 0;
  }
  base::File file(base::UniqueFd(::memfd_create("fuzz", MFD_CLOEXEC)), "fuzz");
  const auto there = static_cast<unsigned char>(text.front());
  file.write(content.substr(0, there % (content.size() + 1)));
  if (there >= 128) {
    file.write("wrong");
  }
  text.remove_prefix(1);

  static const auto digest = io::digest_hex(io::Algorithm::sha256, content);
  io::FileRequest request;
  request.url = "http://127.0.0.1/file";
  request.size = content.size();
  request.digest = digest;
  request.into = &file;
  base::NullProgress progress;
  Played download(request, {}, 1, progress, nullptr, {});
  bool complete = download.there_already();
  while (!complete && !text.empty() && !download.over()) {
    const auto [head, rest] = fuzz::cut(text, "\n\n");
    const auto [body, others] = fuzz::cut(rest, "\n");
    complete = download.answer(head, body);
    text = others;
    fuzz::require(file.size() <= content.size());
  }
  file.seek(0);
  fuzz::require(!complete || base::read_all(file) == content);
  return 0;
}
