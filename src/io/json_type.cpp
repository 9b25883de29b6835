#include "io/json.h"

template class nlohmann::basic_json<>;
