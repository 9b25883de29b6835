#include "sstream/format/item_stream.h"

#include <map>

#include "base/error.h"
#include "base/strings.h"

namespace sstream {

namespace {

/// Knows which level of a products file it is at, and tells its subclass about tags and versions.
class LevelReader : public io::JsonEvents {
 public:
  explicit LevelReader(const std::string& name) : name_(&name) {}

  void start_object() override { open(Json::object()); }

  void start_array() override { open(Json::array()); }

  void key(std::string& name) override {
    if (level_ == Level::version) {
      version_key(name);
    } else if (skipped_ == 0) {
      key_ = name;
    }
  }

  void end_object() override { close(); }

  void end_array() override { close(); }

  void scalar(Json&& value) override {
    if (level_ == Level::version) {
      version_scalar(std::move(value));
    } else if (skipped_ == 0) {
      place(std::move(value));
    }
  }

  bool saw_products() const { return saw_products_; }

 protected:
  bool in_version() const { return level_ == Level::version; }

  enum class Level { none, top, products, product, versions, version };

  const std::string& name() const { return *name_; }

  const std::string& product() const { return product_; }

  const std::string& version() const { return version_; }

  virtual void top_tag(const std::string& key, Json&& value) = 0;
  virtual void product_starts() = 0;
  /// `late`: it follows the product's versions in the file.
  virtual void product_tag(const std::string& key, Json&& value, bool late) = 0;
  virtual void version_starts() = 0;
  virtual void version_open(Json&& container) = 0;
  virtual void version_key(std::string& key) = 0;
  virtual void version_scalar(Json&& value) = 0;
  virtual void version_close() = 0;
  virtual void version_ends() = 0;

 private:
  void open(Json&& container) {
    if (level_ == Level::version) {
      ++depth_;
      version_open(std::move(container));
    } else if (skipped_ > 0) {
      ++skipped_;
    } else if (is_level()) {
      descend(container);
    } else {
      // A tag that is not a scalar is never inherited: its type is all that anybody asks for.
      place(std::move(container));
      skipped_ = 1;
    }
  }

  void close() {
    if (level_ == Level::version) {
      version_close();
      if (--depth_ == 0) {
        version_ends();
        level_ = Level::versions;
      }
    } else if (skipped_ > 0) {
      --skipped_;
    } else {
      level_ = static_cast<Level>(static_cast<int>(level_) - 1);
    }
  }

  /// Does the value that comes now lead one level down?
  bool is_level() const {
    return level_ == Level::none || level_ == Level::products || level_ == Level::versions ||
           (level_ == Level::top && key_ == "products") ||
           (level_ == Level::product && key_ == "versions");
  }

  void descend(const Json& container) {
    if (!container.is_object()) {
      not_an_object(container);
    }
    level_ = static_cast<Level>(static_cast<int>(level_) + 1);
    if (level_ == Level::products) {
      saw_products_ = true;
    } else if (level_ == Level::product) {
      product_ = key_;
      versions_seen_ = false;
      product_starts();
    } else if (level_ == Level::versions) {
      versions_seen_ = true;
    } else if (level_ == Level::version) {
      version_ = key_;
      depth_ = 1;
      version_starts();
    }
  }

  void place(Json&& value) {
    if (is_level()) {
      not_an_object(value);
    }
    if (level_ == Level::top) {
      top_tag(key_, std::move(value));
    } else {
      product_tag(key_, std::move(value), versions_seen_);
    }
  }

  [[noreturn]] void not_an_object(const Json& value) const {
    std::vector<std::string_view> pointer;
    if (level_ != Level::none) {
      pointer = {"products", product_, "versions", key_};
      const auto length = static_cast<std::size_t>(level_);  // top: 1 ... versions: 4
      pointer.resize(std::min(length, pointer.size()));
      pointer.back() = key_;
    }
    throw base::Error(base::Errc::untrusted, base::cat(*name_, ": ", io::json_pointer(pointer),
                                                       pointer.empty() ? "" : ": ", "is of type ",
                                                       io::type_name(value), ", must be object"));
  }

  const std::string* name_;
  Level level_ = Level::none;
  std::size_t skipped_ = 0;  ///< containers open inside a tag
  std::size_t depth_ = 0;    ///< containers open inside a version, itself included
  bool versions_seen_ = false;
  bool saw_products_ = false;
  std::string key_;
  std::string product_;
  std::string version_;
};

/// First pass: what has to be known before the items come by.
class LateTags : public LevelReader {
 public:
  using LevelReader::LevelReader;

  bool wants_text() const override { return !in_version(); }

  Json top = Json::object();
  std::vector<std::string> products;
  std::map<std::string, Json> tags;  ///< of products, where they follow the versions

 protected:
  void top_tag(const std::string& key, Json&& value) override { top[key] = std::move(value); }

  void product_starts() override {
    if (const char* reason = bad_name_reason(product()); reason != nullptr) {
      throw base::Error(
          base::Errc::untrusted,
          base::cat(name(), ": ", io::json_pointer({"products", product()}), ": ", reason));
    }
    products.push_back(product());
  }

  void product_tag(const std::string& key, Json&& value, bool late) override {
    if (late) {
      tags[product()][key] = std::move(value);
    }
  }

  void version_starts() override {}

  void version_open(Json&& /*container*/) override {}

  void version_key(std::string& /*key*/) override {}

  void version_scalar(Json&& /*value*/) override {}

  void version_close() override {}

  void version_ends() override {}
};

/// Second pass: one version at a time is built and its items are visited.
class ItemVisitor : public LevelReader {
 public:
  using Visit = std::function<void(const Item& item)>;

  ItemVisitor(const std::string& name, const LateTags& known, const Visit& visit)
      : LevelReader(name), known_(&known), visit_(&visit) {}

 protected:
  void top_tag(const std::string& /*key*/, Json&& /*value*/) override {}

  void product_starts() override {
    const auto late = known_->tags.find(product());
    tags_ = late == known_->tags.end() ? Json::object() : late->second;
  }

  void product_tag(const std::string& key, Json&& value, bool late) override {
    if (!late) {
      tags_[key] = std::move(value);
    }
  }

  void version_starts() override {
    builder_.start_object();
    depth_ = 1;
    names_ = 0;
  }

  void version_open(Json&& container) override {
    ++depth_;
    container.is_object() ? builder_.start_object() : builder_.start_array();
  }

  void version_key(std::string& key) override {
    if (depth_ == 1) {
      in_items_ = key == "items";
    } else if (depth_ == 2 && in_items_) {
      if (names_ == order_.size()) {
        order_.emplace_back();
      }
      order_[names_++] = key;  // reused: the buffers stay allocated
    }
    builder_.key(key);
  }

  void version_scalar(Json&& value) override { builder_.scalar(std::move(value)); }

  void version_close() override {
    --depth_;
    builder_.end_object();
  }

  void version_ends() override {
    const Json node = builder_.take();
    Pedigree pedigree{product(), version(), {}};
    require_version(node, pedigree, name());
    const auto items = node.find("items");
    if (items == node.end()) {
      return;
    }
    for (std::size_t i = 0; i < names_; ++i) {
      pedigree.item = order_[i];
      (*visit_)(Item(pedigree, known_->top, tags_, node, items->at(pedigree.item)));
    }
  }

 private:
  const LateTags* known_;
  const Visit* visit_;
  Json tags_;
  io::JsonBuilder builder_;
  std::size_t depth_ = 0;  ///< containers open inside the version, itself included
  bool in_items_ = false;
  std::vector<std::string> order_;  ///< the first names_ are the version's items, as in the file
  std::size_t names_ = 0;
};

}  // namespace

void visit_items(base::File& file, const std::function<void(const Item& item)>& visit,
                 const std::function<void(const ProductsHead& head)>& head) {
  LateTags known(file.name());
  io::visit_json(file, known);
  require_products_head(known.top, file.name());
  if (head) {
    head({known.top, known.products});
  }
  if (known.top.contains("_aliases")) {
    ProductTree(io::read_json(file), file.name()).for_each_item(visit);
    return;
  }
  if (!known.saw_products()) {
    throw base::Error(base::Errc::untrusted, file.name() + ": /products: is missing");
  }
  ItemVisitor visitor(file.name(), known, visit);
  io::visit_json(file, visitor);
}

}  // namespace sstream
