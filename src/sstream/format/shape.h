#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/json/json_fwd.h"

/// What the documents of simplestreams have in common: how they say that a part has not the form it
/// must have.
namespace sstream {

using Pointer = std::vector<std::string_view>;

/// @throws base::Error untrusted "NAME: /pointer: reason"
[[noreturn]] void refuse_at(const std::string& name, const Pointer& pointer,
                            const std::string& reason);

/// The value of key; empty when there is none or it is no string.
std::string string_or_empty(const io::Json& object, const char* key);

/// Each key that is there holds a string. @throws as refuse_at
void require_strings_at(const io::Json& object, const std::vector<const char*>& keys,
                        const std::string& name, const Pointer& at = {});

/// object says that it is of that format. @throws as refuse_at
void require_format(const io::Json& object, std::string_view format, const std::string& name);

}  // namespace sstream
