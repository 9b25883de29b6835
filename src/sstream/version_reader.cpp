#include "sstream/version_reader.h"

#include <array>

namespace sstream {

namespace {

/// Builds a document without the versions of other names.
class VersionBuilder : public io::JsonBuilder {
 public:
  explicit VersionBuilder(const std::set<std::string>& versions) : versions_(&versions) {}

  bool wants_text() const override { return skipped_ == 0; }

  void start_object() override {
    if (skipped_ > 0 || is_other_version()) {
      ++skipped_;
      return;
    }
    ++depth_;
    JsonBuilder::start_object();
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
    if (skipped_ > 0) {
      --skipped_;
      return;
    }
    --depth_;
    JsonBuilder::end_object();
  }

  void start_array() override {
    if (skipped_ > 0) {
      ++skipped_;
      return;
    }
    ++depth_;
    JsonBuilder::start_array();
  }

  void end_array() override {
    if (skipped_ > 0) {
      --skipped_;
      return;
    }
    --depth_;
    JsonBuilder::end_array();
  }

  void scalar(io::Json&& value) override {
    if (skipped_ == 0) {
      JsonBuilder::scalar(std::move(value));
    }
  }

 private:
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

}  // namespace

ProductTree read_versions(base::File& file, const std::set<std::string>& versions) {
  VersionBuilder builder(versions);
  io::visit_json(file, builder);
  return {builder.take(), file.name()};
}

}  // namespace sstream
