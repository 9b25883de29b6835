// Any bytes as a Debian package: refused as untrusted, or its files have names within it and fit.
#include "base/fs/temp_dir.h"
#include "io/tar/package_archive.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  io::PackageLimits limits;
  limits.max_bytes = 1U << 22U;
  limits.max_taken = 1U << 20U;
  limits.max_entries = 1000;
  auto file = base::unnamed_file("f");
  file.write(fuzz::text_of(data, size));
  fuzz::refused_or_done(base::Errc::untrusted, [&] {
    std::uint64_t taken = 0;
    const auto all = [](const std::string&) { return true; };
    for (const auto& [name, content] : io::read_package_files(file, all, limits, {})) {
      fuzz::require(!name.empty() && name.front() != '/' && !name.starts_with("../"));
      taken += content.size();
    }
    fuzz::require(taken <= limits.max_taken);
  });
  return 0;
}
