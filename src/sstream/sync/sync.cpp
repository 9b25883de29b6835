#include "sstream/sync/sync.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "sstream/format/checksums.h"
#include "sstream/format/work_plan.h"
#include "sstream/sync/sync_source.h"

namespace sstream {

namespace {

using base::Errc;

/// What load_products says that the target has: product -> version -> the version's node.
using Target = std::map<std::string, std::map<std::string, Json>>;

Target target_of_lines(const std::string& output) {
  Target target;
  std::size_t number = 0;
  for (const auto& line : base::split(output, '\n')) {
    ++number;
    const auto text = base::trim(line);
    if (text.empty()) {
      continue;
    }
    const auto blank = text.find_first_of(" \t");
    if (blank == std::string_view::npos) {
      throw base::Error(Errc::failed,
                        base::cat("hook load_products: line ", number, " of its output, '", text,
                                  "', is not a product and a version"));
    }
    target[std::string(text.substr(0, blank))][std::string(base::trim(text.substr(blank)))] =
        Json::object();
  }
  return target;
}

Target target_of_json(const std::string& output) {
  Target target;
  if (base::trim(output).empty()) {
    return target;
  }
  const auto json = io::parse_json(output, "the output of load_products");
  const auto below = [](const Json& node, const char* key) -> const Json* {
    const auto found = node.is_object() ? node.find(key) : node.end();
    return found != node.end() && found->is_object() ? &*found : nullptr;
  };
  if (const auto* products = below(json, "products")) {
    for (const auto& [product, node] : products->items()) {
      auto& versions = target[product];
      if (const auto* named = below(node, "versions")) {
        for (const auto& [version, tags] : named->items()) {
          versions[version] = tags.is_object() ? tags : Json::object();
        }
      }
    }
  }
  return target;
}

/// An item that goes to insert_item.
struct Delivery {
  Pedigree pedigree;
  const Json* node;
  std::optional<std::string> path;
  std::string local;  ///< the verified copy
};

class ContentSync {
 public:
  ContentSync(const SyncOptions& options, ContentSource& source, const Hooks& hooks,
              const Context& context, SyncResult& result)
      : options_(options), source_(source), hooks_(hooks), context_(context), result_(result) {}

  void run(const IndexEntry& entry) {
    auto document = source_.document(entry);
    load(entry.content_id);
    SyncSource content(document, hooks_);
    for (const auto& product : content.products()) {
      base::check_stop(context_.stop);
      const auto subject = content.subject({product});
      if (hooks_.wants("filter_product", subject)) {
        sync_product(content, product);
        hooks_.tell("insert_product", subject);
      }
    }
    remove_products(content);
    auto subject = content.subject({});
    subject.more["path"] = entry.path;
    tell_with_text("insert_products", subject, document);
  }

  /// With a temporary copy of a document.
  void tell_with_text(const std::string& hook, HookSubject subject, base::File& document) const {
    if (hooks_.has(hook)) {
      const base::TempDir directory("sstream-sync");
      const auto name = directory.path() + "/document";
      auto copy = base::open_file(name, O_WRONLY | O_CREAT | O_EXCL);
      document.seek(0);
      copy.write(base::read_all(document));
      copy.close();
      subject.more["content_file_path"] = name;
      hooks_.tell(hook, subject);
    }
  }

 private:
  void load(const std::string& content_id) {
    const HookSubject subject{content_id, {{"content_id", content_id}}, {}};
    const auto output = hooks_.ask("load_products", subject);
    target_ =
        options_.format == LoadFormat::json ? target_of_json(output) : target_of_lines(output);
  }

  void sync_product(SyncSource& content, const std::string& product) {
    const auto names = content.versions(product);
    std::set<std::string> wanted;
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      const auto node = content.version(product, *name);
      if (hooks_.wants("filter_version", content.subject({product, *name}, &node))) {
        wanted.insert(*name);
      }
    }
    std::vector<std::string> present;
    for (const auto& [version, node] : target_[product]) {
      present.push_back(version);
    }
    auto plan = resolve_work(names, present, options_.max, options_.keep,
                             [&](const std::string& version) { return wanted.contains(version); });
    if (options_.delete_filtered) {
      for (const auto& version : names) {
        if (!wanted.contains(version) && target_[product].contains(version) &&
            std::find(plan.remove.begin(), plan.remove.end(), version) == plan.remove.end()) {
          plan.remove.push_back(version);
        }
      }
    }
    for (const auto& version : plan.add) {
      insert_version(content, {product, version});
    }
    for (const auto& version : plan.remove) {
      remove_version(content, {product, version});
    }
  }

  void insert_version(SyncSource& content, const Pedigree& version) {
    base::check_stop(context_.stop);
    const auto node = content.version(version.product, version.version);
    const auto items = node.find("items");
    if (items == node.end() || items->empty()) {
      return;
    }
    const base::TempDir directory("sstream-sync");
    std::vector<Delivery> deliveries;
    std::vector<HookSubject> subjects;
    for (const auto& [name, item] : items->items()) {
      const Pedigree pedigree{version.product, version.version, name};
      auto subject = content.subject(pedigree, &node, &item);
      const auto path = subject.tags.find("path");
      Delivery delivery{pedigree, &item, {}, {}};
      if (path != subject.tags.end() && !path->second.empty()) {
        delivery.path = path->second;
        subject.more["item_url"] = source_.locate(path->second);
      }
      deliveries.push_back(std::move(delivery));
      subjects.push_back(std::move(subject));
    }
    if (options_.download && hooks_.has("insert_item")) {
      fetch(deliveries, subjects, directory.path());
    }
    for (std::size_t i = 0; i < deliveries.size(); ++i) {
      insert_item(deliveries[i], subjects[i]);
    }
    hooks_.tell("insert_version", content.subject(version, &node));
    ++result_.versions;
  }

  void insert_item(const Delivery& delivery, HookSubject& subject) {
    if (!delivery.local.empty()) {
      subject.more["path_local"] = delivery.local;
    }
    hooks_.tell("insert_item", subject);
    if (!delivery.local.empty()) {
      base::unlink_at(AT_FDCWD, delivery.local);
    }
    ++result_.items;
  }

  /// The files of one version, several at a time.
  void fetch(std::vector<Delivery>& deliveries, const std::vector<HookSubject>& subjects,
             const std::string& directory) const {
    std::vector<io::FileRequest> requests;
    std::vector<base::File> files;
    std::vector<Checksums> sums;
    files.reserve(deliveries.size());
    for (std::size_t i = 0; i < deliveries.size(); ++i) {
      auto& delivery = deliveries[i];
      if (!delivery.path) {
        continue;
      }
      const auto& named = subjects[i].name;
      delivery.local = base::cat(directory, "/", i);
      files.push_back(base::open_file(delivery.local, O_RDWR | O_CREAT | O_EXCL));
      base::with_context(named, [&] { sums.push_back(sums_of(subjects[i].tags)); });
      if (source_.is_local()) {
        base::with_context(named, [&] { copy(*delivery.path, files.back(), sums.back()); });
      } else {
        requests.push_back(request(*delivery.path, files.back(), sums.back()));
      }
    }
    std::exception_ptr failure;
    context_.http.fetch(
        requests, context_.progress,
        [&](std::size_t, const std::exception_ptr& error) { failure = failure ? failure : error; },
        context_.stop);
    if (failure) {
      std::rethrow_exception(failure);
    }
    for (std::size_t i = 0; i < files.size(); ++i) {
      verify_file(files[i], sums[i], context_.stop);  // all digests, not only the strongest
    }
  }

  Checksums sums_of(const Tags& tags) const {
    Json node = Json::object();
    for (const auto& [key, value] : tags) {
      node[key] = value;
    }
    const Json none = Json::object();
    const Pedigree pedigree;
    return Checksums::of(Item(pedigree, none, none, none, node), options_.trust.allow_md5);
  }

  void copy(const std::string& path, base::File& to, const Checksums& sums) const {
    auto from = base::open_file(source_.locate(path), O_RDONLY | O_NONBLOCK);
    if (!S_ISREG(from.status().st_mode)) {
      throw base::Error(Errc::untrusted, base::cat(from.name(), ": not a regular file"));
    }
    std::vector<char> buffer(std::size_t{1} << 18U);
    std::uint64_t size = 0;
    while (const auto got = from.read(buffer)) {
      base::check_stop(context_.stop);
      size += got;
      if (size > sums.size) {
        throw base::Error(Errc::untrusted,
                          base::cat(from.name(), ": more than the promised ", sums.size, " bytes"));
      }
      to.write({buffer.data(), got});
    }
  }

  io::FileRequest request(const std::string& path, base::File& into, const Checksums& sums) const {
    auto places = source_.locate_all(path);
    io::FileRequest request;
    request.url = places.front();
    request.mirrors.assign(places.begin() + 1, places.end());
    request.size = sums.size;
    std::tie(request.algorithm, request.digest) = sums.strongest();
    request.into = &into;
    return request;
  }

  void remove_version(const SyncSource& content, const Pedigree& version) {
    base::check_stop(context_.stop);
    const auto& node = target_[version.product].at(version.version);
    if (const auto items = node.find("items"); items != node.end() && items->is_object()) {
      for (const auto& [name, item] : items->items()) {
        const auto& tags = item.is_object() ? item : Json::object();
        hooks_.tell("remove_item",
                    content.subject({version.product, version.version, name}, &node, &tags));
      }
    }
    hooks_.tell("remove_version", content.subject(version, &node));
    ++result_.removed;
  }

  void remove_products(const SyncSource& content) {
    if (options_.delete_products) {
      for (const auto& [product, versions] : target_) {
        if (!content.has(product)) {
          hooks_.tell("remove_product", content.subject({product}));
        }
      }
    }
  }

  const SyncOptions& options_;
  ContentSource& source_;
  const Hooks& hooks_;
  const Context& context_;
  SyncResult& result_;
  Target target_;
};

ContentSource open_source(const SyncOptions& options, const Context& context,
                          SourceMemory* memory) {
  if (!options.path) {
    return ContentSource::open(options.source, options.trust, context, memory);
  }
  return ContentSource::open_at(split_location(options.source).first, *options.path, options.trust,
                                context, memory);
}

HookSubject subject_of(const IndexEntry& entry) {
  auto tags = hook_tags({}, Json::object(), entry.node);
  tags["content_id"] = entry.content_id;
  return {entry.content_id, std::move(tags), {}};
}

void require_sense(const SyncOptions& options, const Hooks& hooks) {
  if (!hooks.has("load_products")) {
    throw base::Error(Errc::usage,
                      "no program says what the target has: give --hook-load-products (or "
                      "load_products in the configuration), or --hook for all hooks");
  }
  if (options.keep && !options.max) {
    throw base::Error(Errc::usage, "--keep says nothing without --max");
  }
}

}  // namespace

SyncResult sync(const SyncOptions& options, const Hooks& hooks, const Context& context) {
  require_sense(options, hooks);
  std::optional<SourceMemory> memory;
  if (!options.state.empty()) {
    memory.emplace(options.state);
  }
  auto source = open_source(options, context, memory ? &*memory : nullptr);
  SyncResult result;
  ContentSync content(options, source, hooks, context, result);
  auto index = source.index();
  for (const auto& entry : source.entries()) {
    if (!index) {
      content.run(entry);
    } else if (const auto subject = subject_of(entry); hooks.wants("filter_index_entry", subject)) {
      content.run(entry);
      // Not for --hook: the established tool knows its name and never calls it.
      if (hooks.has_own("insert_index_entry")) {
        hooks.tell("insert_index_entry", subject);
      }
    }
  }
  if (index) {
    HookSubject subject{source.first_path(),
                        hook_tags({}, io::read_json(*index), Json::object()),
                        {{"path", source.first_path()}}};
    content.tell_with_text("insert_index", std::move(subject), *index);
  }
  if (memory) {
    memory->save();
  }
  return result;
}

}  // namespace sstream
