#pragma once

#include <utility>
#include <vector>

#include "sstream/lint/document.h"
#include "sstream/lint/report.h"

namespace sstream::lint {

/// The checks of one run, of those rules that matter to somebody in it.
class Checks {
 public:
  Checks(const Rules& rules, Report& report);

  void index(const IndexDocument& document) const;
  void each_index(const IndexDocument& document) const;
  void head(const ProductsFile& file) const;
  /// Also of the version's items.
  void version(const Version& version) const;
  void product(const Product& product) const;
  void tail(const ProductsFile& file) const;
  void stream(const Stream& stream) const;

 private:
  template <typename Subject>
  using List = std::vector<std::pair<std::function<void(const Subject&, const Emit&)>, Emit>>;

  List<IndexDocument> index_;
  List<IndexDocument> each_index_;
  List<ProductsFile> head_;
  List<Item> item_;
  List<Version> version_;
  List<Product> product_;
  List<ProductsFile> tail_;
  List<Stream> stream_;
};

}  // namespace sstream::lint
