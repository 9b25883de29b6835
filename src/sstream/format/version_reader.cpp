#include "sstream/format/version_reader.h"

#include <array>

namespace sstream {

namespace {

/// Builds a document without the versions of other names.
class VersionBuilder : public io::JsonBuilder {
 public:
  explicit VersionBuilder(const std::set<std::string>& versions) : versions_(&versions) {}

  bool wants_text() const override { return skipped_ == 0; }

  void start_object() override {
    if (enter(is_other_version())) {
      JsonBuilder::start_object();
    }
  }

  void key(std::string& name) override {
    if (skipped_ == 0) {
      if (depth_ < keys_.size()) {
        keys_.at(depth_) = name;
      }
      JsonBuilder::key(name);
    }
  }

  void end_object() override {
    if (leave()) {
      JsonBuilder::end_object();
    }
  }

  void start_array() override {
    if (enter(false)) {
      JsonBuilder::start_array();
    }
  }

  void end_array() override {
    if (leave()) {
      JsonBuilder::end_array();
    }
  }

  void scalar(io::Json&& value) override {
    if (skipped_ == 0) {
      JsonBuilder::scalar(std::move(value));
    }
  }

 private:
  /// false: the container that begins is left out, or lies in one that is.
  bool enter(bool left_out) {
    const bool skipped = skipped_ > 0 || left_out;
    ++(skipped ? skipped_ : depth_);
    return !skipped;
  }

  bool leave() {
    const bool skipped = skipped_ > 0;
    --(skipped ? skipped_ : depth_);
    return !skipped;
  }

  /// /products/PRODUCT/versions/VERSION: the document, and three objects in it, are open.
  bool is_other_version() const {
    return depth_ == 4 && keys_[1] == "products" && keys_[3] == "versions" &&
           !versions_->contains(keys_[4]);
  }

  const std::set<std::string>* versions_;
  std::size_t depth_ = 0;              ///< containers that are open, but for skipped ones
  std::size_t skipped_ = 0;            ///< containers open inside a version that is left out
  std::array<std::string, 5> keys_{};  ///< the last key at each depth
};

/// Builds one version after the other.
class VersionPass : public io::JsonEvents {
 public:
  VersionPass(const ProductTree& tags, VersionVisitor& visitor,
              std::vector<std::string>* item_order)
      : tags_(&tags), visitor_(&visitor), item_order_(item_order) {}

  bool wants_text() const override { return open_ > 0; }

  void start_object() override {
    if (open_ > 0 || is_version()) {
      ++open_;
      builder_.start_object();
    } else {
      ++depth_;
    }
  }

  void key(std::string& name) override {
    if (open_ > 0) {
      note(name);
      builder_.key(name);
    } else if (depth_ < keys_.size()) {
      keys_.at(depth_) = name;
    }
  }

  void end_object() override { close(); }

  void start_array() override {
    if (open_ > 0) {
      ++open_;
      builder_.start_array();
    } else {
      ++depth_;
    }
  }

  void end_array() override { close(); }

  void scalar(io::Json&& value) override {
    if (open_ > 0) {
      builder_.scalar(std::move(value));
    } else if (is_version()) {
      require_version(value, {keys_[2], keys_[4]}, tags_->name());  // is none: throws
    }
  }

 private:
  bool is_version() const {
    return depth_ == 4 && keys_[1] == "products" && keys_[3] == "versions";
  }

  /// A key inside of a version.
  void note(const std::string& name) {
    if (open_ == 1) {
      in_items_ = name == "items";
    } else if (open_ == 2 && in_items_ && item_order_ != nullptr) {
      item_order_->push_back(name);
    }
  }

  void close() {
    if (open_ == 0) {
      --depth_;
      return;
    }
    builder_.end_object();
    if (--open_ == 0) {
      const auto node = builder_.take();
      const Pedigree version{keys_[2], keys_[4]};
      require_version(node, version, tags_->name());
      visitor_->version(version, *tags_->product(version.product), node);
      if (item_order_ != nullptr) {
        item_order_->clear();
      }
    }
  }

  const ProductTree* tags_;
  VersionVisitor* visitor_;
  std::vector<std::string>* item_order_;
  bool in_items_ = false;
  io::JsonBuilder builder_;
  std::size_t depth_ = 0;              ///< containers that are open around versions
  std::size_t open_ = 0;               ///< containers open in a version, itself included
  std::array<std::string, 5> keys_{};  ///< the last key at each depth
};

void visit_tree(const ProductTree& tree, VersionVisitor& visitor,
                std::vector<std::string>* item_order) {
  visitor.head(tree);
  for (const auto& [product, node] : tree.products().items()) {
    if (!node.contains("versions")) {
      continue;
    }
    for (const auto& [version, below] : node.at("versions").items()) {
      if (item_order != nullptr) {
        item_order->clear();
        tree.for_each_item_of(product, version, [&](const Item& item) {
          item_order->push_back(item.pedigree().item);
        });
      }
      visitor.version({product, version}, node, below);
    }
  }
}

}  // namespace

void visit_versions(base::File& file, VersionVisitor& visitor,
                    std::vector<std::string>* item_order) {
  const auto tags = read_versions(file, {});
  if (tags.json().contains("_aliases")) {
    visit_tree(ProductTree(io::read_json(file), file.name()), visitor, item_order);
    return;
  }
  visitor.head(tags);
  VersionPass pass(tags, visitor, item_order);
  io::visit_json(file, pass);
}

ProductTree read_versions(base::File& file, const std::set<std::string>& versions) {
  VersionBuilder builder(versions);
  io::visit_json(file, builder);
  return {builder.take(), file.name()};
}

}  // namespace sstream
