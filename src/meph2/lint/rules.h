#pragma once

#include "meph2/lint/profiles.h"
#include "sstream/lint/rule.h"

namespace meph2 {

/// Everything that is known to break a consumer, in the order of docs/lint-rules.md.
const sstream::lint::Rules& lint_rules();

namespace rules {

/// The parts, by theme. A new rule is a new row of one of them.
sstream::lint::Rules documents();      ///< text, JSON, signatures
sstream::lint::Rules indexes();        ///< the index
sstream::lint::Rules products();       ///< products files, products, versions
sstream::lint::Rules items();          ///< items and their files
sstream::lint::Rules maas_products();  ///< what only MAAS asks for
sstream::lint::Rules maas_items();
sstream::lint::Rules container_products();  ///< what LXD and Incus ask for
sstream::lint::Rules container_images();
sstream::lint::Rules juju_readers();
sstream::lint::Rules servers();  ///< what is seen over HTTP

}  // namespace rules

}  // namespace meph2
