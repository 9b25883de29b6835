#pragma once

#include <functional>
#include <string>

#include "sstream/repository/context.h"

namespace sstream {

/// What a base::FileLock tells while it waits: logs once what it waits for and who holds it. A stop
/// request ends the wait (base::Stopped). The context has to outlive it.
std::function<void(const std::string& holder)> waiting_for(const std::string& what,
                                                           const Context& context);

}  // namespace sstream
