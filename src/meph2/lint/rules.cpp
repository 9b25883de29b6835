#include "meph2/lint/rules.h"

namespace meph2 {

const sstream::lint::Rules& lint_rules() {
  static const auto all = [] {
    sstream::lint::Rules table;
    for (auto part :
         {rules::documents, rules::indexes, rules::products, rules::items, rules::maas_readers,
          rules::containers, rules::juju_readers, rules::servers}) {
      for (auto& rule : part()) {
        table.push_back(rule);
      }
    }
    return table;
  }();
  return all;
}

}  // namespace meph2
