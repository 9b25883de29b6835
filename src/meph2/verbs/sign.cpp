#include "meph2/verbs/sign.h"

namespace meph2 {

sstream::PublishResult sign(const SignOptions& options, const sstream::Context& context) {
  const auto nothing = [](const sstream::Generation&) { return sstream::Plan{}; };
  return sstream::publish(options.target, nothing, options.publish, context);
}

}  // namespace meph2
