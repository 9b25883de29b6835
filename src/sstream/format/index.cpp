#include "sstream/format/index.h"

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "sstream/format/aliases.h"
#include "sstream/format/shape.h"

namespace sstream {

namespace {

void require_strings(const Json& products, const std::string& name, std::string_view id) {
  const bool good =
      products.is_array() && std::all_of(products.begin(), products.end(),
                                         [](const Json& product) { return product.is_string(); });
  if (!good) {
    refuse_at(name, {"index", id, "products"}, "must be an array of strings");
  }
}

void require_entry(const Json& entry, const std::string& name, const std::string& id) {
  if (const char* reason = bad_name_reason(id); reason != nullptr) {
    refuse_at(name, {"index", id}, reason);
  }
  if (!entry.is_object()) {
    refuse_at(name, {"index", id},
              base::cat("is of type ", io::type_name(entry), ", must be object"));
  }
  require_strings_at(entry, {"path", "format", "datatype", "updated"}, name, {"index", id});
  const auto path = string_or_empty(entry, "path");
  if (const char* reason = path.empty() ? nullptr : base::unsafe_path_reason(path);
      reason != nullptr) {
    refuse_at(name, {"index", id, "path"}, base::cat("'", path.substr(0, 200), "': ", reason));
  }
  if (string_or_empty(entry, "format") == "index:1.0") {
    refuse_at(name, {"index", id}, "an index inside an index is not supported");
  }
  if (const auto products = entry.find("products"); products != entry.end()) {
    require_strings(*products, name, id);
  }
}

IndexEntry entry_of(const std::string& id, const Json& node) {
  IndexEntry entry;
  entry.content_id = id;
  entry.path = string_or_empty(node, "path");
  entry.format = string_or_empty(node, "format");
  entry.datatype = string_or_empty(node, "datatype");
  entry.updated = string_or_empty(node, "updated");
  if (const auto products = node.find("products"); products != node.end()) {
    entry.products = products->get<std::vector<std::string>>();
  }
  entry.node = node;
  return entry;
}

}  // namespace

StreamIndex::StreamIndex(Json json, std::string name)
    : json_(std::move(json)), name_(std::move(name)) {
  if (!json_.is_object()) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(name_, ": is of type ", io::type_name(json_), ", must be object"));
  }
  base::with_context(name_, [&] { expand_aliases(json_); });
  require_format(json_, "index:1.0", name_);
  require_strings_at(json_, {"updated"}, name_);
  const auto index = json_.find("index");
  if (index == json_.end() || !index->is_object()) {
    refuse_at(name_, {"index"}, index == json_.end() ? "is missing" : "must be an object");
  }
  for (const auto& [id, entry] : index->get_ref<const Json::object_t&>()) {
    require_entry(entry, name_, id);
  }
}

StreamIndex StreamIndex::parse(std::string_view text, const std::string& name) {
  return {io::parse_json(text, name), name};
}

std::string StreamIndex::updated() const {
  return string_or_empty(json_, "updated");
}

std::vector<IndexEntry> StreamIndex::entries() const {
  std::vector<IndexEntry> entries;
  for (const auto& [id, node] : json_.at("index").get_ref<const Json::object_t&>()) {
    entries.push_back(entry_of(id, node));
  }
  return entries;
}

std::optional<IndexEntry> StreamIndex::entry(const std::string& content_id) const {
  const auto& index = json_.at("index");
  const auto at = index.find(content_id);
  if (at == index.end()) {
    return std::nullopt;
  }
  return entry_of(content_id, *at);
}

void require_content_id(const IndexEntry& entry, const ProductTree& tree) {
  if (tree.content_id() != entry.content_id) {
    refuse_at(tree.name(), {"content_id"},
              base::cat("is ", tree.content_id(), ", but the index calls it ", entry.content_id));
  }
}

Json with_signed_paths(Json index) {
  if (const auto entries = index.find("index"); entries != index.end() && entries->is_object()) {
    for (auto& entry : *entries) {
      const auto path = entry.find("path");
      if (path == entry.end() || !path->is_string()) {
        continue;
      }
      auto& text = path->get_ref<std::string&>();
      if (text.ends_with(".json")) {
        text.replace(text.size() - 5, 5, ".sjson");
      }
    }
  }
  return index;
}

}  // namespace sstream
