#include "io/json/json.h"

template class nlohmann::basic_json<>;

namespace io {

namespace {

template <typename Values, typename Value>
void discard_all(Values& values, const Value& value) noexcept {
  for (auto& entry : values) {
    if (value(entry).is_structured()) {
      discard(value(entry));
    }
  }
  values.clear();
}

}  // namespace

void discard(Json& value) noexcept {
  if (auto* object = value.get_ptr<Json::object_t*>()) {
    discard_all(*object, [](auto& entry) -> Json& { return entry.second; });
  } else if (auto* array = value.get_ptr<Json::array_t*>()) {
    discard_all(*array, [](Json& entry) -> Json& { return entry; });
  }
}

}  // namespace io
