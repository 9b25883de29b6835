#include "meph2/build/why.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/file.h"
#include "base/strings.h"
#include "io/http/http.h"
#include "meph2/build/packages.h"
#include "sstream/repository/generation.h"

namespace meph2 {

namespace {

using io::Json;

std::string shown(const Json& value) {
  return value.is_null() ? std::string() : sstream::scalar_text(value).value_or(value.dump());
}

/// "/kernel/package" as people name it.
std::string setting_name(const std::string& pointer) {
  return base::replace_all(pointer.substr(1), "/", ".");
}

/// One comparison: the pieces that its steps share.
class Comparison {
 public:
  Comparison(const BuildInputs& recorded, const InputsNow& now) : before_(recorded), now_(now) {}

  std::vector<BuildChange> run() {
    compare_source();
    compare_settings();
    compare_builder();
    compare_archives();
    compare_packages();
    return std::move(changes_);
  }

 private:
  /// true where nothing can be said of it; then that is said.
  bool unknown(const std::string& what, const std::string& before, const std::string& after) {
    if (!before.empty() && !after.empty()) {
      return false;
    }
    const auto reason = now_.unknown.find(what);
    const auto why = before.empty()                 ? std::string("it was not recorded")
                     : reason == now_.unknown.end() ? std::string()
                                                    : reason->second;
    changes_.push_back({.what = what,
                        .before = before,
                        .after = after,
                        .note = base::cat("unknown", why.empty() ? "" : ": ", why),
                        .known = false});
    return true;
  }

  void compare_source() {
    const auto& now = now_.inputs;
    if (!before_.source_sha256.empty() && now.source_sha256.empty() && now.source_size != 0 &&
        before_.source_size != 0 && now.source_size != before_.source_size) {
      changes_.push_back({.what = "source",
                          .before = base::cat(before_.source_size, " bytes"),
                          .after = base::cat(now.source_size, " bytes")});
      return;
    }
    if (!unknown("source", before_.source_sha256, now.source_sha256)) {
      differ("source", before_.source_sha256, now.source_sha256);
    }
  }

  void differ(const std::string& what, const std::string& before, const std::string& after) {
    if (before != after) {
      changes_.push_back({.what = what, .before = before, .after = after});
    }
  }

  void compare_settings() {
    const auto before = before_.settings.flatten();
    const auto after = now_.inputs.settings.flatten();
    std::set<std::string> keys;
    for (const auto* settings : {&before, &after}) {
      for (const auto& entry : settings->items()) {
        keys.insert(entry.key());
      }
    }
    for (const auto& key : keys) {
      const auto old = before.value(key, Json());
      const auto fresh = after.value(key, Json());
      if (old != fresh) {
        changes_.push_back({.what = base::cat("setting ", setting_name(key)),
                            .before = shown(old),
                            .after = shown(fresh)});
      }
    }
  }

  /// The name and version that it says, and the bytes of its program where they say more.
  void compare_builder() {
    const auto& now = now_.inputs;
    if (unknown("builder", before_.builder, now.builder)) {
      return;
    }
    if (before_.builder != now.builder) {
      differ("builder", before_.builder, now.builder);
    } else if (before_.revision != now.revision) {
      differ("builder revision", std::to_string(before_.revision), std::to_string(now.revision));
    } else if (!unknown("builder program", before_.program, now.program) &&
               before_.program != now.program) {
      changes_.push_back({.what = "builder program",
                          .before = before_.program,
                          .after = now.program,
                          .note = "changed"});
    }
  }

  void compare_archives() {
    if (before_.archives.empty()) {
      changes_.push_back(
          {.what = "archives", .note = "unknown: none was recorded", .known = false});
    }
    for (const auto& old : before_.archives) {
      const auto found = std::ranges::find_if(now_.inputs.archives, [&](const UsedArchive& each) {
        return each.url == old.url && each.suite == old.suite;
      });
      const auto fresh = found == now_.inputs.archives.end() ? std::string() : found->sha256;
      const auto what = archive_name(old);
      if (!unknown(what, old.sha256, fresh) && old.sha256 != fresh) {
        changes_.push_back({.what = what, .before = old.sha256, .after = fresh, .note = "changed"});
      }
    }
  }

  void compare_packages() {
    for (const auto& [name, version] : before_.packages) {
      const auto found = now_.inputs.packages.find(name);
      if (found != now_.inputs.packages.end()) {
        differ(base::cat("package ", name), version, found->second);
      }
    }
  }

  const BuildInputs& before_;
  const InputsNow& now_;
  std::vector<BuildChange> changes_;
};

/// The size of what is not fetched may tell at least that it is another one.
void probe_size(const std::string& source, InputsNow& now, const sstream::Context& context) {
  if (!now.inputs.source_sha256.empty() || !io::is_http_url(source)) {
    return;
  }
  try {
    const auto answer = context.http.probe(source, context.stop);
    if (answer.status == 200 && answer.encoding.empty()) {
      now.inputs.source_size = answer.length.value_or(0);
    }
  } catch (const base::Error& error) {
    now.unknown["source"] = base::redact_urls(error.what());
  }
}

bool archive_changed(const BuildInputs& recorded, const BuildInputs& now) {
  return std::ranges::any_of(now.archives, [&](const UsedArchive& archive) {
    return !archive.sha256.empty() &&
           std::ranges::find(recorded.archives, archive) == recorded.archives.end();
  });
}

/// The published root of a version; an empty File where it has none.
base::File open_squashfs(const sstream::Repository& repository, const sstream::ProductTree& tree,
                         const sstream::Pedigree& id) {
  const auto item = tree.view(id);
  const auto path = item ? item->path() : std::nullopt;
  if (!path) {
    return {};
  }
  const auto place = repository.place(*path);
  return base::find_beneath(place.dirfd, place.path, O_RDONLY);
}

/// Which of the recorded packages the archives offer in other versions, as far as that can be told:
/// that an archive changed is known without it.
void find_packages(base::File squashfs, const std::string& arch, const BuildInputs& recorded,
                   InputsNow& now, const sstream::Context& context) {
  std::set<std::string> names;
  for (const auto& [name, version] : recorded.packages) {
    names.insert(name);
  }
  if (!squashfs || names.empty() || !archive_changed(recorded, now.inputs)) {
    return;
  }
  try {
    if (const auto keys = archive_keys_of(squashfs)) {
      for (const auto& [name, version] :
           offered_packages(recorded.archives, names, arch, *keys, context)) {
        now.inputs.packages[name] = version;
      }
    }
  } catch (const base::Error& error) {
    context.log.info(base::cat("which packages changed cannot be told: ", error.what()));
  }
}

}  // namespace

std::vector<BuildChange> compare_inputs(const BuildInputs& recorded, const InputsNow& now) {
  return Comparison(recorded, now).run();
}

std::string line_of(const BuildChange& change) {
  const auto shown = [](const std::string& text) { return text.empty() ? "(none)" : text; };
  return base::cat(change.what, ": ",
                   change.note.empty()
                       ? base::cat(shown(change.before), " -> ", shown(change.after))
                       : change.note);
}

io::Json json_of(const BuildChange& change) {
  io::Json json{{"known", change.known}, {"what", change.what}};
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) {
      json[key] = value;
    }
  };
  set("before", change.before);
  set("after", change.after);
  set("note", change.note);
  return json;
}

BuildWhy why_build(const std::string& repository, const std::string& content_id,
                   const std::string& product, CurrentInputs& current,
                   const sstream::Context& context) {
  BuildWhy why;
  why.product = product;
  const auto& plan = current.plan();
  const auto row = std::ranges::find(plan.products, product, &PlannedProduct::name);
  why.planned = row != plan.products.end();
  std::optional<BuildInputs> recorded;
  base::File squashfs;
  if (base::exists_at(AT_FDCWD, repository)) {
    const sstream::Repository opened(repository, sstream::Access::read);
    const auto tree = sstream::Generation::load(opened).read_tree(content_id);
    const auto versions = tree ? tree->versions(product) : std::vector<std::string>();
    if (!versions.empty()) {
      why.version = versions.front();
      const auto records = BuildOrigins::load(opened, context.log);
      if (const auto* found = records.find(product, why.version); found != nullptr) {
        recorded = *found;
        squashfs = open_squashfs(opened, *tree, {product, why.version, "squashfs"});
      }
    }
  }
  if (!why.planned && why.version.empty()) {
    throw base::Error(base::Errc::not_found,
                      base::cat("product ", product, ": neither does a build of ", plan.release,
                                "/", plan.arch, " make it, nor does ", repository, " have it"));
  }
  why.recorded = recorded.has_value();
  if (recorded && why.planned) {
    auto now = current.instead_of(*recorded, *row);
    probe_size(current.source_name(), now, context);
    find_packages(std::move(squashfs), plan.arch, *recorded, now, context);
    why.changes = compare_inputs(*recorded, now);
  }
  return why;
}

std::vector<std::string> lines_of(const BuildWhy& why) {
  if (why.version.empty()) {
    return {base::cat(why.product, " is not published yet")};
  }
  if (!why.planned) {
    return {base::cat("product: this build does not make it; ", why.version, " stays as it is")};
  }
  if (!why.recorded) {
    return {base::cat("nothing is known of what ", why.version, " was built from")};
  }
  if (why.changes.empty()) {
    return {base::cat("nothing changed: ", why.version, " was built from the same")};
  }
  std::vector<std::string> lines;
  for (const auto& change : why.changes) {
    lines.push_back(line_of(change));
  }
  return lines;
}

io::Json json_of(const BuildWhy& why) {
  auto changes = io::Json::array();
  for (const auto& change : why.changes) {
    changes.push_back(json_of(change));
  }
  return {{"changes", std::move(changes)},
          {"planned", why.planned},
          {"product", why.product},
          {"recorded", why.recorded},
          {"version", why.version}};
}

}  // namespace meph2
