// Any text as what an archive of packages, or an index of images, has: refused as untrusted, or
// read.
#include "meph2/apt/archive.h"
#include "meph2/apt/deb822.h"
#include "meph2/apt/release_file.h"
#include "meph2/apt/version.h"
#include "meph2/import/image_index.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using base::Errc;
  const auto text = fuzz::text_of(data, size);
  fuzz::refused_or_done(Errc::untrusted, [&] {
    meph2::apt::for_each_paragraph(text, "f", [](const meph2::apt::Paragraph& paragraph) {
      fuzz::require(paragraph.line() > 0);
    });
  });
  fuzz::refused_or_done(Errc::untrusted, [&] {
    for (const auto& [path, sums] : meph2::apt::parse_release_file(text, "f").files) {
      fuzz::require(sums.sha256.size() == 64 && !path.starts_with("..") && path.front() != '/');
    }
  });
  fuzz::refused_or_done(Errc::untrusted, [&] { meph2::apt::parse_packages(text, "f", {}); });
  fuzz::refused_or_done(Errc::untrusted,
                        [&] { meph2::import::read_image_index(text, "f", "amd64", ""); });
  const auto [left, right] = fuzz::cut(text, "\n");
  const bool less = meph2::apt::version_less(left, right);
  fuzz::require(!(less && meph2::apt::version_less(right, left)));
  return 0;
}
