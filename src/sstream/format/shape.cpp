#include "sstream/format/shape.h"

#include "base/error.h"
#include "base/strings.h"
#include "io/json/json.h"

namespace sstream {

void refuse_at(const std::string& name, const Pointer& pointer, const std::string& reason) {
  throw base::Error(base::Errc::untrusted,
                    base::cat(name, ": ", io::json_pointer(pointer), ": ", reason));
}

std::string string_or_empty(const io::Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

void require_strings_at(const io::Json& object, const std::vector<const char*>& keys,
                        const std::string& name, const Pointer& at) {
  for (const char* key : keys) {
    if (const auto found = object.find(key); found != object.end() && !found->is_string()) {
      auto pointer = at;
      pointer.emplace_back(key);
      refuse_at(name, pointer, base::cat("is of type ", io::type_name(*found), ", must be string"));
    }
  }
}

void require_format(const io::Json& object, std::string_view format, const std::string& name) {
  const auto found = object.find("format");
  if (found == object.end() || *found != format) {
    refuse_at(name, {"format"},
              base::cat("is ", found == object.end() ? "missing" : found->dump().substr(0, 100),
                        ", must be \"", format, "\""));
  }
}

}  // namespace sstream
