#pragma once

#include <utility>
#include <vector>

#include "sstream/lint/document.h"
#include "sstream/lint/report.h"

namespace sstream::lint {

/// The checks of one sort of thing.
template <typename Subject>
class CheckList {
 public:
  void add(Check::Function<Subject> check, const Emit& emit) {
    if (check) {
      checks_.emplace_back(std::move(check), emit);
    }
  }

  void operator()(const Subject& subject) const {
    for (const auto& [check, emit] : checks_) {
      check(subject, emit);
    }
  }

 private:
  std::vector<std::pair<Check::Function<Subject>, Emit>> checks_;
};

/// The checks of one run, of those rules that matter to somebody in it.
class Checks {
 public:
  Checks(const Rules& rules, Report& report);

  /// Also of its entries.
  void index(const IndexDocument& document) const;
  /// What is asked of both forms.
  void each_index(const IndexDocument& document) const;
  /// Also of the version's items.
  void version(const Version& version) const;

  CheckList<ProductsFile> head;
  CheckList<Product> product;
  CheckList<ProductsFile> tail;
  CheckList<Stream> stream;

 private:
  CheckList<IndexDocument> index_;
  CheckList<Entry> entry_;
  CheckList<Entry> each_entry_;
  CheckList<Item> item_;
  CheckList<Version> version_;
};

}  // namespace sstream::lint
