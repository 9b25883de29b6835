// A path that is called safe stays below its directory, whatever it looks like.
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "sstream/format/pedigree.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = fuzz::text_of(data, size);
  const bool safe = base::unsafe_path_reason(path) == nullptr;
  bool odd = path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos;
  for (const auto& part : base::split(path, '/')) {
    odd = odd || part.empty() || part == "." || part == "..";
  }
  fuzz::require(!safe || !odd);
  if (sstream::bad_name_reason(path) == nullptr) {
    fuzz::require(!odd && path.find('/') == std::string_view::npos);
  }
  return 0;
}
