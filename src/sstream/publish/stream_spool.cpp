#include "sstream/publish/stream_spool.h"

namespace sstream {

namespace {

constexpr std::size_t piece_size = 65'536;

/// How deep the members of these are: one blank of indent each.
constexpr std::size_t depth_of_products = 2;
constexpr std::size_t depth_of_tags = 3;
constexpr std::size_t depth_of_versions = 4;

std::string line(std::size_t depth) {
  return "\n" + std::string(depth, ' ');
}

std::string member(const std::string& key, const Json& value, std::size_t depth) {
  auto text = line(depth);
  io::append_json_string(key, text);
  text += ": ";
  io::append_json(value, depth, text);
  return text;
}

}  // namespace

StreamSpool::StreamSpool(const ProductTree& tags)
    : top_(Json::object()), spool_("spool of " + tags.name()) {
  for (const auto& [key, value] : tags.json().items()) {
    if (key != "products" && key != "updated") {
      top_[key] = value;
    }
  }
}

void StreamSpool::set_product(const std::string& product, const Json& node) {
  auto& entry = products_[product];
  entry.before.clear();
  entry.after.clear();
  for (const auto& [key, value] : node.items()) {
    if (key < "versions") {
      entry.before += member(key, value, depth_of_tags) + ",";
    } else if (key != "versions") {
      entry.after += "," + member(key, value, depth_of_tags);
    }
  }
}

void StreamSpool::add_version(const std::string& product, const std::string& version,
                              const Json& node) {
  products_.at(product).versions[version] = spool_.add(member(version, node, depth_of_versions));
}

StreamSummary StreamSpool::summary() const {
  StreamSummary summary;
  summary.format = top_.value("format", std::string());
  summary.content_id = top_.value("content_id", std::string());
  summary.datatype = top_.value("datatype", std::string());
  for (const auto& [name, product] : products_) {
    summary.versions[name] = product.versions.size();
  }
  return summary;
}

void StreamSpool::write_product(const Product& product, const io::Sink& sink) {
  sink(product.before + line(depth_of_tags) + "\"versions\": {");
  std::string text;
  const char* before = "";
  for (const auto& [name, piece] : product.versions) {
    text += before;
    text += spool_.piece(piece);
    before = ",";
    if (text.size() >= piece_size) {
      sink(text);
      text.clear();
    }
  }
  sink(text + line(depth_of_tags) + "}" + product.after + line(depth_of_products) + "}");
}

void StreamSpool::write_products(const io::Sink& sink) {
  if (products_.empty()) {
    sink("{}");
    return;
  }
  std::string before = "{";
  for (const auto& [name, product] : products_) {
    auto text = before + line(depth_of_products);
    before = ",";
    io::append_json_string(name, text);
    sink(text + ": {");
    write_product(product, sink);
  }
  sink(line(1) + "}");
}

void StreamSpool::write(const std::string& updated, const io::Sink& sink) {
  auto top = top_;
  top["products"] = nullptr;
  top["updated"] = updated;
  std::string before = "{";
  for (const auto& [key, value] : top.items()) {
    if (key == "products") {
      sink(before + line(1) + "\"products\": ");
      write_products(sink);
    } else {
      sink(before + member(key, value, 1));
    }
    before = ",";
  }
  sink("\n}\n");
}

}  // namespace sstream
