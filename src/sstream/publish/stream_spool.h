#pragma once

#include <map>
#include <string>

#include "sstream/format/product_tree.h"
#include "sstream/publish/new_stream.h"
#include "sstream/staging/spool.h"

namespace sstream {

/// A products file put together version by version, in any order, in little memory: the versions
/// wait in a file without a name until the whole is written. What a version replaces of an equal
/// name stays there unused.
class StreamSpool : public NewStream {
 public:
  /// `tags`: the document without any version, as read_versions() gives it. Products are taken over
  /// when they get their first version.
  explicit StreamSpool(const ProductTree& tags);

  /// The tags of a product: all its keys but `versions`.
  void set_product(const std::string& product, const Json& node);

  /// The product must have been set.
  void add_version(const std::string& product, const std::string& version, const Json& node);

  bool empty() const { return products_.empty(); }

  StreamSummary summary() const override;
  void write(const std::string& updated, const io::Sink& sink) override;

 private:
  struct Product {
    std::string before;  ///< the text of its tags that sort before `versions`
    std::string after;
    std::map<std::string, Spool::Piece> versions;
  };

  void write_products(const io::Sink& sink);
  void write_product(const Product& product, const io::Sink& sink);

  Json top_;
  Spool spool_;
  std::map<std::string, Product> products_;
};

}  // namespace sstream
