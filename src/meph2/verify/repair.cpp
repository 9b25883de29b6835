#include "meph2/verify/repair.h"

#include <algorithm>
#include <map>
#include <span>
#include <unordered_set>

#include "base/error.h"
#include "base/strings.h"
#include "sstream/format/condense.h"
#include "sstream/repository/holds.h"
#include "sstream/staging/staging.h"

namespace meph2 {

namespace {

using sstream::ContentSource;
using sstream::DataFile;
using sstream::NewFile;
using sstream::ProblemKind;

bool is_of_data(const FoundProblem& found) {
  return found.problem.kind == ProblemKind::missing || found.problem.kind == ProblemKind::damaged;
}

const DataFile& file_of(const std::vector<DataFile>& files, const std::string& path) {
  return *std::lower_bound(
      files.begin(), files.end(), path,
      [](const DataFile& file, const std::string& p) { return file.path < p; });
}

/// What is to be fetched, and the problem that it ends.
struct Repair {
  NewFile file;
  FoundProblem* found;
};

/// Where the source has the contents that are wanted: digest -> path. Of a source whose metadata
/// cannot be read nothing is known, and the paths are taken to be ours.
std::map<std::string, std::string> find_by_digest(ContentSource& source,
                                                  const std::vector<Repair>& repairs) {
  std::unordered_set<std::string> wanted;
  for (const auto& repair : repairs) {
    wanted.insert(repair.file.expected.strongest().second);
  }
  std::map<std::string, std::string> found;
  for (const auto& entry : source.entries()) {
    source.visit_items(entry, [&](const sstream::Item& item) {
      const auto path = item.path();
      for (const auto* name : {"sha512", "sha256", "md5"}) {
        const auto digest = base::to_lower(item.tag(name).value_or(""));
        if (path && wanted.contains(digest)) {
          found.emplace(digest, *path);
        }
      }
    });
  }
  return found;
}

void fail(FoundProblem& found, const base::Error& error) {
  found.failure = error.what();
}

/// All of them in one go; where one of them cannot be had, each for itself.
void bring_in(const sstream::Repository& repository, std::span<Repair> repairs,
              const sstream::Context& context) {
  sstream::FileList files;
  for (const auto& repair : repairs) {
    files.add(repair.file);
  }
  try {
    sstream::bring_in(repository, files, context);
    for (auto& repair : repairs) {
      repair.found->remedy = Remedy::repaired;
    }
  } catch (const base::Error& error) {
    if (repairs.size() == 1) {
      fail(*repairs.front().found, error);
      return;
    }
    for (std::size_t i = 0; i < repairs.size(); ++i) {
      bring_in(repository, repairs.subspan(i, 1), context);
    }
  }
}

}  // namespace

void repair_files(const VerifyOptions& options, const std::vector<DataFile>& files,
                  std::vector<FoundProblem>& problems, const sstream::Context& context) {
  std::vector<Repair> repairs;
  std::uint64_t bytes = 0;
  for (auto& found : problems) {
    if (!is_of_data(found)) {
      continue;
    }
    const auto& file = file_of(files, found.problem.object);
    NewFile wanted;
    wanted.path = file.path;
    wanted.expected = file.expected;
    wanted.replace = found.problem.kind == ProblemKind::damaged;
    bytes += file.expected.size;
    repairs.push_back({std::move(wanted), &found});
  }
  if (repairs.empty()) {
    return;
  }
  // What comes has to have the digest that our own metadata promises: whether the source is signed
  // decides nothing.
  sstream::TrustOptions any;
  any.no_verify = true;
  auto source = ContentSource::open(options.repair_from, any, context);
  const auto by_digest = find_by_digest(source, repairs);
  for (auto& repair : repairs) {
    const auto at = by_digest.find(repair.file.expected.strongest().second);
    repair.file.origin = source.locate(at == by_digest.end() ? repair.file.path : at->second);
    if (options.publish.dry_run) {
      repair.found->remedy = Remedy::repaired;
    }
  }
  if (options.publish.dry_run) {
    return;
  }
  const sstream::Repository repository(options.target, sstream::Access::write);
  const auto lock =
      repository.lock_stage(base::LockMode::shared, options.publish.lock_timeout, context);
  sstream::require_space(repository, bytes);
  constexpr std::size_t batch = 64;
  for (std::size_t start = 0; start < repairs.size(); start += batch) {
    bring_in(repository, std::span(repairs).subspan(start, std::min(batch, repairs.size() - start)),
             context);
  }
}

void repair_signatures(const VerifyOptions& options, VerifyResult& result,
                       const sstream::Context& context) {
  const auto is_signature = [](const FoundProblem& found) {
    return found.problem.kind == ProblemKind::signature;
  };
  const auto first = std::find_if(result.problems.begin(), result.problems.end(), is_signature);
  if (first == result.problems.end()) {
    return;
  }
  try {
    auto publish = options.publish;
    publish.sign = true;
    result.published = sstream::publish(
        options.target, [](const sstream::Generation&) { return sstream::Plan(); }, publish,
        context);
    for (auto found = first; found != result.problems.end(); ++found) {
      if (is_signature(*found)) {
        found->remedy = Remedy::repaired;
      }
    }
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::failed && error.code() != base::Errc::refused) {
      throw;
    }
    fail(*first, error);  // no key to sign with
  }
}

namespace {

using Paths = std::unordered_set<std::string>;

/// Takes out of a tree what names a broken file; the versions are added to `dropped`.
void drop_versions(const VerifyOptions& options, const Paths& broken, const sstream::Holds& holds,
                   base::Time now, sstream::ProductTree& tree, std::vector<std::string>& dropped) {
  std::set<std::pair<std::string, std::string>> versions;
  tree.for_each_item([&](const sstream::Item& item) {
    const auto path = item.path();
    if (path && broken.contains(*path)) {
      versions.emplace(item.pedigree().product, item.pedigree().version);
    }
  });
  for (const auto& [product, version] : versions) {
    const auto name = base::cat(product, "@", version);
    if (holds.find(product, version, now) != nullptr) {
      throw base::Error(base::Errc::refused, base::cat(name, " is held; unhold it to drop it"));
    }
    tree.remove({product, version});
    if (tree.versions(product).empty()) {
      if (!options.allow_drop.contains(product)) {
        throw base::Error(base::Errc::refused,
                          base::cat(name, " is the only version of the product; --allow-drop ",
                                    product, " lets the product go"));
      }
      tree.remove({product});
    }
    dropped.push_back(name);
  }
  if (!versions.empty()) {
    sstream::settle_product_tags(tree.json());
  }
}

}  // namespace

void drop_broken(const VerifyOptions& options, VerifyResult& result,
                 const sstream::Context& context) {
  Paths broken;
  for (const auto& found : result.problems) {
    if (is_of_data(found) && found.remedy == Remedy::none) {
      broken.insert(found.problem.object);
    }
  }
  if (broken.empty()) {
    return;
  }
  const auto planner = [&](const sstream::Generation& live) {
    const auto holds =
        sstream::Holds::load(sstream::Repository(options.target, sstream::Access::read));
    sstream::Plan plan;
    result.dropped.clear();
    for (const auto& [content_id, stream] : live.streams()) {
      if (stream.format != "products:1.0") {
        continue;
      }
      auto tree = *live.read_tree(content_id);
      const auto before = result.dropped.size();
      drop_versions(options, broken, holds, context.clock.now(), tree, result.dropped);
      if (result.dropped.size() > before) {
        plan.streams.push_back(std::move(tree));
      }
    }
    plan.details = {{"dropped", result.dropped}};
    return plan;
  };
  Remedy remedy = Remedy::dropped;
  std::string failure;
  try {
    result.published = sstream::publish(options.target, planner, options.publish, context);
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::refused) {
      throw;
    }
    result.refused = true;  // what was found, and repaired, is told all the same
    result.dropped.clear();
    remedy = Remedy::none;
    failure = error.reason();
  }
  for (auto& found : result.problems) {
    if (is_of_data(found) && found.remedy == Remedy::none) {
      found.remedy = remedy;
      found.failure = failure.empty() ? found.failure : failure;
    }
  }
}

}  // namespace meph2
