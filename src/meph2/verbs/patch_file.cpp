#include "meph2/verbs/patch_file.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "io/yaml/yaml.h"
#include "sstream/format/condense.h"

namespace meph2 {

namespace {

using io::Json;

const std::set<std::string>& tree_keys() {
  static const std::set<std::string> keys = {"_aliases", "content_id",   "format",
                                             "items",    "products",     "updated",
                                             "datatype", "product_name", "item_url"};
  return keys;
}

/// Walks the document; positions come from the YAML reader.
class Reader {
 public:
  explicit Reader(const io::Yaml& yaml) : yaml_(yaml) {}

  std::vector<StreamPatch> run() const {
    std::vector<StreamPatch> patches;
    if (yaml_.value.is_null()) {
      return patches;
    }
    for (const auto& [stream, products] : object(yaml_.value, "").items()) {
      const auto at = io::pointer_to("", stream);
      StreamPatch patch{.name = stream, .where = yaml_.entry(at)};
      for (const auto& [pattern, entry] : object(products, at).items()) {
        const auto below = io::pointer_to(at, pattern);
        if (pattern == "not_merged") {
          patch.not_merged = true;
        } else {
          patch.products.push_back(product(pattern, entry, below));
        }
      }
      patches.push_back(std::move(patch));
    }
    return patches;
  }

 private:
  [[noreturn]] void refuse(const std::string& pointer, const std::string& why) const {
    throw base::Error(base::Errc::usage, base::cat(yaml_.where(pointer), ": ", why));
  }

  const Json& object(const Json& value, const std::string& pointer) const {
    if (!value.is_object()) {
      refuse(pointer, base::cat("is of type ", io::type_name(value), ", must be a mapping"));
    }
    return value;
  }

  ProductPatch product(const std::string& pattern, const Json& entry,
                       const std::string& pointer) const {
    ProductPatch patch{
        .pattern = pattern, .where = yaml_.entry(pointer), .filter = filter(pattern, pointer)};
    for (const auto& [key, value] : object(entry, pointer).items()) {
      const auto below = io::pointer_to(pointer, key);
      if (key == "labels") {
        patch.labels = labels(value, below);
      } else if (key == "versions") {
        versions(value, below, patch);
      } else {
        tag(key, value, below, patch);
      }
    }
    return patch;
  }

  sstream::Filter filter(const std::string& pattern, const std::string& pointer) const {
    try {
      return sstream::Filter(base::cat("name~^(?:", pattern, ")$"));
    } catch (const base::Error& error) {
      throw base::Error(base::Errc::usage,
                        base::cat(yaml_.entry(pointer),
                                  ": no regular expression for products: ", error.reason()));
    }
  }

  Labels labels(const Json& value, const std::string& pointer) const {
    if (!value.is_array()) {
      refuse(pointer, base::cat("is of type ", io::type_name(value), ", must be a list of labels"));
    }
    Labels labels;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (!value[i].is_string()) {
        refuse(io::pointer_to(pointer, i),
               base::cat("is of type ", io::type_name(value[i]), ", must be a label"));
      }
      labels.push_back(value[i].get<std::string>());
    }
    return labels;
  }

  void versions(const Json& value, const std::string& pointer, ProductPatch& patch) const {
    for (const auto& [version, entry] : object(value, pointer).items()) {
      const auto at = io::pointer_to(pointer, version);
      if (const char* reason = sstream::bad_name_reason(version); reason != nullptr) {
        refuse(at, reason);
      }
      const auto found = object(entry, at).find("labels");
      if (found == entry.end()) {
        refuse(at, "has no list of labels");
      }
      for (const auto& [key, unused] : entry.items()) {
        if (key != "labels" && key != "items") {
          refuse(io::pointer_to(at, key), "unknown; a version has labels only");
        }
      }
      patch.compares_items = patch.compares_items || entry.contains("items");
      patch.versions[version] = labels(*found, io::pointer_to(at, "labels"));
    }
  }

  void tag(const std::string& key, const Json& value, const std::string& pointer,
           ProductPatch& patch) const {
    if (tree_keys().contains(key) || sstream::default_sticky().contains(key)) {
      refuse(pointer, "is no tag of a product");
    }
    if (!value.is_object()) {
      refuse(pointer, base::cat("is of type ", io::type_name(value),
                                ", must map labels to values, as in {stable: VALUE}"));
    }
    for (const auto& [label, wanted] : value.items()) {
      patch.tags[key][label] = wanted;
    }
  }

  const io::Yaml& yaml_;
};

}  // namespace

std::vector<StreamPatch> parse_patch(std::string_view text, const std::string& name) {
  const auto yaml = io::parse_yaml(text, name);
  return Reader(yaml).run();
}

bool has_label(const Labels& labels, const std::string& label) {
  return std::any_of(labels.begin(), labels.end(), [&](const std::string& one) {
    return one == label || one == label + ":target";
  });
}

}  // namespace meph2
