#include "sstream/lint/products_reader.h"

#include <array>
#include <utility>

namespace sstream::lint {

namespace {

enum class Level : std::uint8_t { none, top, products, product, versions, version, items, item };

/// Knows which level of a products file it is at, whatever the file holds: what is not the object
/// that a level has to be is passed over.
class LevelReader : public io::JsonEvents {
 public:
  void start_object() override { open(Json::object()); }

  void start_array() override { open(Json::array()); }

  void key(std::string& name) override {
    if (building_ > 0) {
      builder_.key(name);
    } else if (skipped_ == 0) {
      keys_.at(static_cast<std::size_t>(level_)) = name;
    }
  }

  void end_object() override { close(); }

  void end_array() override { close(); }

  void scalar(Json&& value) override {
    if (building_ > 0) {
      builder_.scalar(std::move(value));
    } else if (skipped_ == 0) {
      if (leads_down()) {
        odd(value);
      } else {
        tag(key_at(level_), std::move(value));
      }
    }
  }

 protected:
  Level level() const { return level_; }

  /// The key that was read last in an object of this level.
  const std::string& key_at(Level level) const { return keys_.at(static_cast<std::size_t>(level)); }

  /// Where the value is that comes now.
  Place place_in(std::string_view file) const {
    constexpr std::array<Level, 7> levels = {Level::top,      Level::products, Level::product,
                                             Level::versions, Level::version,  Level::items,
                                             Level::item};
    Place place(file, {});
    for (const auto one : levels) {
      if (one <= level_) {
        place.push(key_at(one));
      }
    }
    return place;
  }

  virtual void enter(Level level) = 0;
  virtual void leave(Level level) = 0;
  virtual void tag(const std::string& key, Json&& value) = 0;
  virtual void odd(const Json& value) = 0;

 private:
  /// Does the value that comes now have to be the object that leads one level down?
  bool leads_down() const {
    switch (level_) {
      case Level::top:
        return key_at(Level::top) == "products";
      case Level::product:
        return key_at(Level::product) == "versions";
      case Level::version:
        return key_at(Level::version) == "items";
      case Level::item:
        return false;
      default:
        return true;
    }
  }

  void open(Json&& container) {
    if (building_ > 0) {
      ++building_;
      container.is_object() ? builder_.start_object() : builder_.start_array();
    } else if (skipped_ > 0) {
      ++skipped_;
    } else if (!leads_down()) {
      building_ = 1;
      container.is_object() ? builder_.start_object() : builder_.start_array();
    } else if (!container.is_object()) {
      odd(container);
      skipped_ = 1;
    } else {
      level_ = static_cast<Level>(static_cast<int>(level_) + 1);
      enter(level_);
    }
  }

  void close() {
    if (building_ > 0) {
      builder_.end_object();
      if (--building_ == 0) {
        tag(key_at(level_), builder_.take());
      }
    } else if (skipped_ > 0) {
      --skipped_;
    } else {
      const auto left = level_;
      level_ = static_cast<Level>(static_cast<int>(level_) - 1);
      leave(left);
    }
  }

  Level level_ = Level::none;
  std::size_t building_ = 0;  ///< containers open inside a tag
  std::size_t skipped_ = 0;   ///< containers open inside what is passed over
  io::JsonBuilder builder_;
  std::array<std::string, 8> keys_;
};

class Surveyor : public LevelReader {
 public:
  bool wants_text() const override { return level() < Level::version || first_version_; }

  Survey take() { return std::move(survey_); }

 protected:
  void enter(Level level) override {
    if (level == Level::products) {
      survey_.has_products = true;
    } else if (level == Level::product) {
      versions_seen_ = false;
      first_version_ = true;
    } else if (level == Level::versions) {
      versions_seen_ = true;
    }
  }

  void leave(Level level) override {
    if (level == Level::version) {
      first_version_ = false;
    }
  }

  void tag(const std::string& key, Json&& value) override {
    if (level() == Level::top) {
      survey_.tags.add(key, std::move(value));
    } else if (level() == Level::product && versions_seen_) {
      survey_.late_tags[key_at(Level::products)].add(key, std::move(value));
    } else if (first_version_ && level() == Level::item && key == "ftype" && value.is_string()) {
      survey_.ftypes.insert(value.get<std::string>());
    }
  }

  void odd(const Json& /*value*/) override {}

 private:
  Survey survey_;
  bool versions_seen_ = false;
  bool first_version_ = true;
};

class Reader : public LevelReader {
 public:
  Reader(const Survey& known, ProductsFile& file, const ProductsEvents& events)
      : known_(&known), file_(&file), events_(&events) {
    product_.file = &file;
    version_.product = &product_;
  }

 protected:
  void enter(Level level) override {
    if (level == Level::product) {
      start_product();
    } else if (level == Level::versions) {
      product_.has_versions = true;
      late_ = true;
    } else if (level == Level::version) {
      version_.name = key_at(Level::versions);
      version_.tags.clear();
      version_.item_count = 0;
    } else if (level == Level::item) {
      if (version_.item_count == version_.items.size()) {
        version_.items.emplace_back();
      }
      item_ = &version_.items[version_.item_count++];
      item_->version = &version_;
      item_->name = key_at(Level::items);
      item_->tags.clear();
    }
  }

  void leave(Level level) override {
    if (level == Level::version) {
      product_.versions.push_back(version_.name);
      events_->version(product_, version_);
    } else if (level == Level::product) {
      events_->product(product_);
      file_->products.push_back(product_.name);
    }
  }

  void tag(const std::string& key, Json&& value) override {
    if (level() == Level::item) {
      item_->tags.add(key, std::move(value));
    } else if (level() == Level::version) {
      version_.tags.add(key, std::move(value));
    } else if (level() == Level::product && !late_) {
      product_.tags.add(key, std::move(value));
    }
  }

  void odd(const Json& value) override {
    if (level() == Level::product) {
      product_.has_versions = true;
    }
    events_->odd(place_in(file_->file), value);
  }

 private:
  void start_product() {
    product_.name = key_at(Level::products);
    product_.has_versions = false;
    late_ = false;
    product_.versions.clear();
    product_.kind = 0;
    product_.tags.clear();
    const auto late = known_->late_tags.find(product_.name);
    if (late != known_->late_tags.end()) {
      for (const auto& [key, value] : late->second) {
        product_.tags.add(key, Json(value));
      }
    }
  }

  const Survey* known_;
  ProductsFile* file_;
  const ProductsEvents* events_;
  Product product_;
  Version version_;
  Item* item_ = nullptr;
  bool late_ = false;  ///< the product's versions have come by
};

}  // namespace

Survey survey(base::File& file) {
  Surveyor surveyor;
  io::visit_json(file, surveyor);
  return surveyor.take();
}

void read_products(base::File& from, const Survey& known, ProductsFile& file,
                   const ProductsEvents& events) {
  Reader reader(known, file, events);
  io::visit_json(from, reader);
}

}  // namespace sstream::lint
