#include "meph2/supply/channel.h"

#include <algorithm>

#include "base/strings.h"

namespace meph2 {

namespace {

/// v3, 1: what stands in the place of a label where there is none.
bool is_format_version(const std::string& field) {
  const auto digits = std::string_view(field).substr(field.starts_with("v") ? 1 : 0);
  return base::parse_decimal(digits).has_value();
}

}  // namespace

LabelledId split_label(const std::string& content_id) {
  auto fields = base::split(content_id, ':');
  if (fields.size() < 3 || fields[1].empty() || is_format_version(fields[1])) {
    return {release_label, content_id};
  }
  auto label = fields[1];
  fields.erase(fields.begin() + 1);
  return {std::move(label), base::join(fields, ":")};
}

std::string bare_product(const std::string& product, const std::string& label) {
  const auto head = std::min(product.find(':'), product.size());
  const auto suffix = "." + label;
  if (label == release_label || !std::string_view(product).substr(0, head).ends_with(suffix)) {
    return product;
  }
  return product.substr(0, head - suffix.size()) + product.substr(head);
}

std::string labelled_product(const std::string& bare, const std::string& label) {
  const auto head = bare.find(':');
  return label == release_label || head == std::string::npos
             ? bare
             : base::cat(bare.substr(0, head), ".", label, bare.substr(head));
}

std::string without_channel(const std::string& name) {
  auto fields = base::split(name, ':');
  for (const std::string channel : {"candidate", "daily"}) {
    fields.erase(std::remove(fields.begin() + 1, fields.end(), channel), fields.end());
    if (fields.size() > 1) {
      fields.front() = bare_product(fields.front(), channel);
    }
  }
  return base::join(fields, ":");
}

sstream::Json relabelled(const sstream::ProductTree& tree, const std::string& product,
                         const std::vector<std::string>& versions, const std::string& label) {
  auto node = sstream::Json::object();
  for (const auto& [key, value] : tree.product(product)->items()) {
    if (key != "versions") {
      node[key] = value;
    }
  }
  node["versions"] = sstream::Json::object();
  for (const auto& name : versions) {
    auto version = *tree.version(product, name);
    version.erase("label");
    if (const auto items = version.find("items"); items != version.end()) {
      for (auto& item : *items) {
        item.erase("label");
      }
    }
    node["versions"][name] = std::move(version);
  }
  node["label"] = label;
  return node;
}

}  // namespace meph2
