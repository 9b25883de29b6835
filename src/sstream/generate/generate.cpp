#include "sstream/generate/generate.h"

#include <algorithm>
#include <set>

#include <unistd.h>

#include "base/error.h"
#include "base/strings.h"
#include "sstream/format/condense.h"
#include "sstream/format/graft.h"
#include "sstream/format/shape.h"
#include "sstream/generate/item_files.h"

namespace sstream {

namespace {

constexpr std::uint64_t largest_list = 1ULL << 30U;

using Records = std::vector<ItemRecord>;

/// What stays on the items of a stream that was made of a list.
const Sticky& sticky_tags() {
  static const Sticky keys = [] {
    auto all = default_sticky();
    all.insert({"crsn", "endpoint", "id", "region", "root_store", "virt", "virt_type"});
    return all;
  }();
  return keys;
}

std::string read_list(const std::string& path) {
  if (path != "-") {
    return base::read_file(path, largest_list);
  }
  base::File file(base::UniqueFd(::dup(STDIN_FILENO)), "stdin");
  return base::read_all(file, largest_list);
}

Records read_records(const GenerateOptions& options, const Context& context,
                     GenerateResult& result) {
  if (!options.scan.directory.empty()) {
    auto scan = options.scan;
    scan.content_id = options.content_id;
    scan.tags = options.tags;
    auto found = scan_directory(scan, context.stop);
    result.left_out = std::move(found.left_out);
    return std::move(found.records);
  }
  Records all;
  for (const auto& path : options.lists) {
    auto records = parse_items(read_list(path), path == "-" ? "stdin" : path, options.format,
                               options.content_id);
    std::move(records.begin(), records.end(), std::back_inserter(all));
  }
  return all;
}

void require_each_once(const Records& records) {
  std::map<std::pair<std::string, Pedigree>, const ItemRecord*> seen;
  for (const auto& record : records) {
    const auto [first, added] = seen.try_emplace({record.content_id, record.id}, &record);
    if (!added) {
      refuse_field(record.where, "item_name",
                   base::cat(record.id.text(), " is listed already, at ", first->second->where));
    }
  }
}

void add_tags(const std::map<std::string, std::string>& tags, Records& records) {
  for (auto& record : records) {
    for (const auto& [key, value] : tags) {
      if (!record.tags.contains(key)) {
        record.tags[key] = value;
      }
    }
  }
}

/// The items of one content id.
struct Content {
  std::vector<const ItemRecord*> records;
  std::string datatype;
};

/// What the records say of their datatype is the document's, not theirs.
std::string take_datatype(std::vector<ItemRecord*>& records) {
  const ItemRecord* first = nullptr;
  std::string datatype;
  for (auto* record : records) {
    const auto found = record->tags.find("datatype");
    if (found == record->tags.end()) {
      continue;
    }
    if (!found->is_string() || (first != nullptr && *found != datatype)) {
      refuse_field(
          record->where, "datatype",
          first == nullptr ? "must be a string" : base::cat("differs from that at ", first->where));
    }
    datatype = found->get<std::string>();
    first = record;
    record->tags.erase(found);
  }
  return datatype;
}

std::string guessed_datatype(const std::vector<ItemRecord*>& records) {
  const bool ids = std::all_of(records.begin(), records.end(), [](const ItemRecord* record) {
    return record->tags.contains("id") && !record->tags.contains("path");
  });
  return ids ? "image-ids" : "image-downloads";
}

std::map<std::string, Content> contents_of(const GenerateOptions& options, Records& records) {
  std::map<std::string, std::vector<ItemRecord*>> by_content;
  for (auto& record : records) {
    by_content[record.content_id].push_back(&record);
  }
  std::map<std::string, Content> contents;
  for (auto& [content_id, of_it] : by_content) {
    auto& content = contents[content_id];
    content.records.assign(of_it.begin(), of_it.end());
    const auto said = take_datatype(of_it);
    content.datatype = !options.datatype.empty() ? options.datatype
                       : !said.empty()           ? said
                                                 : guessed_datatype(of_it);
  }
  return contents;
}

ProductTree tree_of(const std::string& content_id, const Content& content) {
  auto tree = ProductTree::make(content_id, content.datatype);
  for (const auto* record : content.records) {
    tree.set(record->id, record->tags);
  }
  require_one_content_per_path(tree);
  return tree;
}

using ItemTags = std::map<Pedigree, Json>;

ItemTags item_tags(const ProductTree& tree) {
  ItemTags tags;
  tree.for_each_item(
      [&](const Item& item) { tags.emplace(item.pedigree(), tags_of(tree, item.pedigree())); });
  return tags;
}

void compare(const std::string& content_id, const ItemTags& before, const ItemTags& after,
             std::vector<ItemChange>& changes) {
  for (const auto& [id, tags] : after) {
    const auto found = before.find(id);
    if (found == before.end() || found->second != tags) {
      const auto kind = found == before.end() ? ItemChange::Kind::added : ItemChange::Kind::changed;
      changes.push_back({kind, content_id, id, string_or_empty(tags, "path")});
    }
  }
  for (const auto& [id, tags] : before) {
    if (!after.contains(id)) {
      changes.push_back({ItemChange::Kind::removed, content_id, id, string_or_empty(tags, "path")});
    }
  }
}

/// Puts what is new beside what is there; items of an equal name are replaced.
void unite(const ProductTree& fresh, ProductTree& target) {
  for (const auto& [product, node] : fresh.products().items()) {
    for (const auto& version : fresh.versions(product)) {
      if (target.version(product, version) == nullptr) {
        graft_version(fresh, product, version, target, any_item);
      } else {
        const auto united = unite_version(fresh, target, {product, version});
        graft_version(united, product, version, target, any_item);
      }
    }
  }
}

ProductTree next_tree(const ProductTree& fresh, std::optional<ProductTree> live, bool add) {
  if (!live) {
    return fresh;
  }
  if (add) {
    unite(fresh, *live);
    return std::move(*live);
  }
  auto tree = empty_like(*live);
  tree.json()["datatype"] = fresh.datatype();
  tree.products() = fresh.products();
  return tree;
}

/// Where the images of a content are on offer, as Juju looks for it in the index.
Json clouds_of(const ProductTree& tree) {
  std::set<std::pair<std::string, std::string>> clouds;
  tree.for_each_item([&](const Item& item) {
    const auto region = item.tag("region");
    const auto endpoint = item.tag("endpoint");
    if (region && endpoint) {
      clouds.emplace(*region, *endpoint);
    }
  });
  if (clouds.empty()) {
    return {};
  }
  auto list = Json::array();
  for (const auto& [region, endpoint] : clouds) {
    list.push_back({{"endpoint", endpoint}, {"region", region}});
  }
  return list;
}

class StreamGenerator {
 public:
  StreamGenerator(const GenerateOptions& options, const std::map<std::string, Content>& contents,
                  const ItemFiles& files, GenerateResult& result)
      : options_(options), files_(files), result_(result) {
    for (const auto& [content_id, content] : contents) {
      fresh_.push_back(tree_of(content_id, content));
    }
  }

  Plan plan(const Generation& live) {
    Plan plan;
    result_.items.clear();
    for (const auto& fresh : fresh_) {
      plan_content(fresh, live, plan);
    }
    plan.files.add(files_.wanted());
    plan.details = {{"sources", options_.scan.directory.empty()
                                    ? Json(options_.lists)
                                    : Json::array({options_.scan.directory})}};
    return plan;
  }

 private:
  void plan_content(const ProductTree& fresh, const Generation& live, Plan& plan) {
    const auto content_id = fresh.content_id();
    auto known = live.read_tree(content_id);
    const bool is_new = !known;
    const auto datatype = known ? known->datatype() : std::string();
    const auto before = known ? item_tags(*known) : ItemTags();
    auto tree = next_tree(fresh, std::move(known), options_.add);
    const auto earlier = result_.items.size();
    compare(content_id, before, item_tags(tree), result_.items);
    if (tree.datatype() == "image-ids") {
      auto& entry = plan.entries[content_id];
      entry = {{"clouds", clouds_of(tree)}};
      if (!options_.cloudname.empty()) {
        entry["cloudname"] = options_.cloudname;
      }
    }
    if (is_new || result_.items.size() > earlier || tree.datatype() != datatype) {
      ready_to_publish(tree, sticky_tags());
      plan.streams.push_back(std::move(tree));
    }
  }

  const GenerateOptions& options_;
  const ItemFiles& files_;
  GenerateResult& result_;
  std::vector<ProductTree> fresh_;
};

GenerateResult generate_streams(const GenerateOptions& options, const Context& context) {
  GenerateResult result;
  auto records = read_records(options, context, result);
  if (records.empty()) {
    throw base::Error(
        base::Errc::not_found,
        base::cat(options.scan.directory.empty()
                      ? base::join(options.lists, ", ")
                      : base::cat(options.scan.directory, " (layout ", options.scan.layout, ")"),
                  ": no item in it"));
  }
  result.listed = records.size();
  require_each_once(records);
  add_tags(options.tags, records);
  const auto from = options.scan.directory.empty() ? options.files : options.scan.directory;
  ItemFiles files(options.target, from, options.md5, context);
  if (options.look_at_files) {
    files.digest(records);
  } else {
    require_promises(records);
  }
  const auto contents = contents_of(options, records);
  StreamGenerator generator(options, contents, files, result);
  result.published = publish(
      options.target, [&](const Generation& live) { return generator.plan(live); }, options.publish,
      context);
  return result;
}

}  // namespace

GenerateResult generate(const GenerateOptions& options, const Context& context) {
  return base::with_state("stream unchanged", [&] { return generate_streams(options, context); });
}

}  // namespace sstream
