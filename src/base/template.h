#pragma once

#include <map>
#include <optional>
#include <string>

namespace base {

/// Expands %(name)s; %% is %. Error(usage) for another conversion, and for an unknown name unless
/// `unset` says what stands for it.
std::string expand_template(const std::string& text,
                            const std::map<std::string, std::string>& variables,
                            const std::optional<std::string>& unset = {});

}  // namespace base
