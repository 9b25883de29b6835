#include "sstream/lint/checks.h"

#include <type_traits>

namespace sstream::lint {

namespace {

Check check_of(const Rule& rule) {
  return std::visit(
      [](const auto& source) {
        using Source = std::decay_t<decltype(source)>;
        if constexpr (std::is_same_v<Source, std::monostate>) {
          return Check();
        } else if constexpr (std::is_invocable_v<Source>) {
          return source();
        } else {
          return Check(source);
        }
      },
      rule.check);
}

}  // namespace

Checks::Checks(const Rules& rules, Report& report) {
  for (const auto& rule : rules) {
    if (!report.wants(rule)) {
      continue;
    }
    const auto check = check_of(rule);
    const Emit emit(report, rule);
    index_.add(check.index, emit);
    entry_.add(check.entry, emit);
    each_entry_.add(check.each_entry, emit);
    head.add(check.head, emit);
    item_.add(check.item, emit);
    version_.add(check.version, emit);
    product.add(check.product, emit);
    tail.add(check.tail, emit);
    stream.add(check.stream, emit);
  }
}

void Checks::index(const IndexDocument& document) const {
  index_(document);
  for_each_entry(document, [&](const Entry& entry) { entry_(entry); });
}

void Checks::each_index(const IndexDocument& document) const {
  for_each_entry(document, [&](const Entry& entry) { each_entry_(entry); });
}

void Checks::version(const Version& version) const {
  for (const auto& item : version) {
    item_(item);
  }
  version_(version);
}

}  // namespace sstream::lint
