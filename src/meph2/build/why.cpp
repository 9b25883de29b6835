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
