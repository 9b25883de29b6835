// What an archive's server says: names of directories that stay in theirs, and lists of digests
// that are refused or hold safe paths and whole digests only.
#include "base/fs/beneath.h"
#include "meph2/installer/image_path.h"
#include "meph2/installer/listing.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  for (const auto& name : meph2::installer::parse_directories(text)) {
    fuzz::require(base::unsafe_path_reason(name) == nullptr && name.find('/') == std::string::npos);
    static_cast<void>(meph2::installer::is_version_name(name));
  }
  static const meph2::installer::ImageTree tree{"ubuntu", "xenial", {"trusty", "xenial"}};
  fuzz::refused_or_done(base::Errc::untrusted, [&] {
    for (const auto& [path, digest] :
         meph2::installer::parse_sums(text, io::Algorithm::sha256, "fuzz")) {
      fuzz::require(base::unsafe_path_reason(path) == nullptr && digest.size() == 64);
      if (const auto file = meph2::installer::classify_image(path, tree)) {
        fuzz::require(!file->flavor.empty() && !file->image_format.empty() &&
                      file->flavor.find('/') == std::string::npos &&
                      file->image_format.find('/') == std::string::npos);
      }
    }
  });
  return 0;
}
