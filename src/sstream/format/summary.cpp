#include "sstream/format/summary.h"

#include <numeric>
#include <vector>

#include "io/json/json.h"

namespace sstream {

namespace {

/// Follows the keys from the top of the document down to the version names.
class SummaryEvents : public io::JsonEvents {
 public:
  explicit SummaryEvents(StreamSummary& summary) : summary_(summary) {}

  void start_object() override { path_.emplace_back(); }

  void end_object() override { path_.pop_back(); }

  void start_array() override { path_.emplace_back(); }

  void end_array() override { path_.pop_back(); }

  void key(std::string& name) override {
    path_.back() = name;
    if (path_.size() == 2 && path_[0] == "products") {
      summary_.versions[name];
    } else if (path_.size() == 4 && path_[0] == "products" && path_[2] == "versions") {
      ++summary_.versions[path_[1]];
    }
  }

  bool wants_text() const override { return path_.size() == 1; }

  void scalar(io::Json&& value) override {
    if (path_.size() == 1 && value.is_string()) {
      top(path_[0], value.get_ref<const std::string&>());
    }
  }

 private:
  void top(const std::string& key, const std::string& value) {
    if (key == "format") {
      summary_.format = value;
    } else if (key == "content_id") {
      summary_.content_id = value;
    } else if (key == "datatype") {
      summary_.datatype = value;
    } else if (key == "updated") {
      summary_.updated = value;
    }
  }

  StreamSummary& summary_;
  std::vector<std::string> path_;
};

/// Thrown by HeadEvents when it has what it wants.
struct HeadComplete {};

class HeadEvents : public SummaryEvents {
 public:
  explicit HeadEvents(StreamSummary& summary) : SummaryEvents(summary), head_(summary) {}

  void scalar(io::Json&& value) override {
    SummaryEvents::scalar(std::move(value));
    if (!head_.format.empty() && !head_.content_id.empty()) {
      throw HeadComplete();
    }
  }

 private:
  const StreamSummary& head_;
};

}  // namespace

StreamSummary read_head(base::File& file) {
  StreamSummary summary;
  HeadEvents events(summary);
  try {
    io::visit_json(file, events);
  } catch (const HeadComplete&) {
    summary.versions.clear();
  }
  return summary;
}

StreamSummary summary_of(const ProductTree& tree) {
  const auto text = [&](const char* key) { return tree.json().value(key, std::string()); };
  StreamSummary summary{text("format"), text("content_id"), text("datatype"), text("updated"), {}};
  for (const auto& [product, node] : tree.products().items()) {
    const auto versions = node.find("versions");
    summary.versions[product] = versions == node.end() ? 0 : versions->size();
  }
  return summary;
}

std::size_t StreamSummary::version_count() const {
  return std::accumulate(versions.begin(), versions.end(), std::size_t{0},
                         [](std::size_t sum, const auto& entry) { return sum + entry.second; });
}

StreamSummary summarise(base::File& file) {
  StreamSummary summary;
  SummaryEvents events(summary);
  file.seek(0);
  io::visit_json(file, events);
  return summary;
}

io::Json index_entry(const StreamSummary& summary, const std::string& path,
                     const io::Json& previous) {
  auto entry = previous.is_object() ? previous : io::Json::object();
  entry["format"] = summary.format;
  entry["path"] = path;
  for (const auto& [key, value] :
       {std::pair("datatype", summary.datatype), std::pair("updated", summary.updated)}) {
    entry.erase(key);
    if (!value.empty()) {
      entry[key] = value;
    }
  }
  if (summary.format != "products:1.0") {
    return entry;
  }
  auto& products = entry["products"] = io::Json::array();
  for (const auto& product : summary.versions) {
    products.push_back(product.first);
  }
  return entry;
}

}  // namespace sstream
