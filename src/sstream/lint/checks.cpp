#include "sstream/lint/checks.h"

namespace sstream::lint {

namespace {

template <typename List, typename Subject>
void call(const List& list, const Subject& subject) {
  for (const auto& [check, emit] : list) {
    check(subject, emit);
  }
}

}  // namespace

Checks::Checks(const Rules& rules, Report& report) {
  for (const auto& rule : rules) {
    if (rule.check == nullptr || !report.wants(rule)) {
      continue;
    }
    auto check = rule.check();
    const Emit emit(report, rule);
    const auto keep = [&](auto& list, auto& function) {
      if (function) {
        list.emplace_back(std::move(function), emit);
      }
    };
    keep(index_, check.index);
    keep(each_index_, check.each_index);
    keep(head_, check.head);
    keep(item_, check.item);
    keep(version_, check.version);
    keep(product_, check.product);
    keep(tail_, check.tail);
    keep(stream_, check.stream);
  }
}

void Checks::index(const IndexDocument& document) const {
  call(index_, document);
}

void Checks::each_index(const IndexDocument& document) const {
  call(each_index_, document);
}

void Checks::head(const ProductsFile& file) const {
  call(head_, file);
}

void Checks::version(const Version& version) const {
  for (const auto& item : version) {
    call(item_, item);
  }
  call(version_, version);
}

void Checks::product(const Product& product) const {
  call(product_, product);
}

void Checks::tail(const ProductsFile& file) const {
  call(tail_, file);
}

void Checks::stream(const Stream& stream) const {
  call(stream_, stream);
}

}  // namespace sstream::lint
