#include "sstream/repository/waiting.h"

#include "base/process/stop.h"
#include "base/strings.h"

namespace sstream {

std::function<void(const std::string& holder)> waiting_for(const std::string& what,
                                                           const Context& context) {
  return [what, &context, told = false](const std::string& holder) mutable {
    if (!told) {
      told = true;
      context.log.info(base::cat("waiting for ", what, ", held by ", holder));
    }
    base::check_stop(context.stop);
  };
}

}  // namespace sstream
