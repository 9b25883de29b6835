#include "sstream/format/pedigree.h"

#include <algorithm>

#include "base/strings.h"

namespace sstream {

const char* bad_name_reason(std::string_view name) {
  if (name.empty()) {
    return "a name may not be empty";
  }
  if (name == "." || name == "..") {
    return "a name may not be '.' or '..'";
  }
  if (name.size() > 255) {
    return "a name may not be longer than 255 bytes";
  }
  const auto forbidden = [](char c) {
    return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  };
  if (std::any_of(name.begin(), name.end(), forbidden)) {
    return "a name may not hold a slash, a backslash or a control character";
  }
  return base::valid_utf8(name) ? nullptr : "a name must be UTF-8";
}

}  // namespace sstream
