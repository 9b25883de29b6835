// A path that is called safe stays below its directory, whatever it looks like.
#include <cstdlib>

#include "base/beneath.h"
#include "base/strings.h"
#include "sstream/pedigree.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE: libFuzzer's type
  const std::string_view path(reinterpret_cast<const char*>(data), size);
  const bool safe = base::unsafe_path_reason(path) == nullptr;
  bool odd = path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos;
  for (const auto& part : base::split(path, '/')) {
    odd = odd || part.empty() || part == "." || part == "..";
  }
  if (safe && odd) {
    std::abort();
  }
  if (sstream::bad_name_reason(path) == nullptr &&
      (odd || path.find('/') != std::string_view::npos)) {
    std::abort();
  }
  return 0;
}
