#include "sstream/format/item_stream.h"

#include "sstream/format/version_reader.h"

namespace sstream {

namespace {

class ItemVisitor : public VersionVisitor {
 public:
  ItemVisitor(const std::function<void(const Item& item)>& visit,
              const std::function<void(const ProductTree& tags)>& head)
      : visit_(visit), head_(head) {}

  void head(const ProductTree& tags) override {
    top_ = &tags.json();
    if (head_) {
      head_(tags);
    }
  }

  void version(const Pedigree& version, const Json& product, const Json& node) override {
    auto id = version;
    for (const auto& name : item_order) {
      id.item = name;
      visit_(Item(id, *top_, product, node, node.at("items").at(name)));
    }
  }

  std::vector<std::string> item_order;  ///< see visit_versions()

 private:
  const std::function<void(const Item& item)>& visit_;
  const std::function<void(const ProductTree& tags)>& head_;
  const Json* top_ = nullptr;
};

}  // namespace

void visit_items(base::File& file, const std::function<void(const Item& item)>& visit,
                 const std::function<void(const ProductTree& tags)>& head) {
  ItemVisitor visitor(visit, head);
  visit_versions(file, visitor, &visitor.item_order);
}

}  // namespace sstream
