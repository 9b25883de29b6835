#include "meph2/lint/rules.h"

namespace meph2 {

const sstream::lint::Rules& lint_rules() {
  static const auto all = [] {
    sstream::lint::Rules table;
    for (auto part : {rules::documents, rules::indexes, rules::products, rules::items,
                      rules::maas_products, rules::maas_items, rules::container_products,
                      rules::container_images, rules::juju_readers, rules::servers}) {
      const auto rows = part();
      table.insert(table.end(), rows.begin(), rows.end());
    }
    return table;
  }();
  return all;
}

}  // namespace meph2
