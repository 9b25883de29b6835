#include "meph2/supply/add_versions.h"

#include <cerrno>
#include <map>

#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "sstream/format/condense.h"
#include "sstream/format/graft.h"
#include "sstream/source/content_source.h"
#include "sstream/staging/staging.h"

namespace meph2 {

namespace {

using sstream::Item;
using sstream::Pedigree;
using sstream::ProductTree;

constexpr mode_t published_mode = 0644;

/// Calls visit(item) for each wanted item of a version.
template <typename Visit>
void for_each_wanted(const ProductTree& tree, const Pedigree& version, const Wanted& wanted,
                     Visit visit) {
  tree.for_each_item_of(version.product, version.version, [&](const Item& item) {
    if (wanted(item)) {
      visit(item);
    }
  });
}

void require_origin_of_size(const sstream::NewFile& wanted) {
  struct stat status {};

  if (::lstat(wanted.origin.c_str(), &status) != 0) {
    base::throw_errno(errno, "open", wanted.origin);
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (S_ISREG(status.st_mode) && size != wanted.expected.size) {
    throw base::Error(base::Errc::untrusted, base::cat(wanted.origin, ": ", size,
                                                       " bytes, must be ", wanted.expected.size));
  }
}

/// Of files with the same content staging reads one; the others are read here.
void require_whole(const std::vector<sstream::NewFile>& files, const sstream::Context& context) {
  std::map<std::string, const sstream::NewFile*> by_content;
  for (const auto& file : files) {
    base::check_stop(context.stop);
    if (io::is_http_url(file.origin)) {
      continue;
    }
    const auto adding = [&] { return base::cat("add ", file.path); };
    base::with_context(adding, [&] {
      require_origin_of_size(file);
      const auto [first, added] = by_content.emplace(file.expected.strongest().second, &file);
      if (!added && first->second->origin != file.origin) {
        sstream::verify_origin(file);
      }
    });
  }
}

/// What a dry run is to find out about the files that would be brought in.
void verify_origins(const std::vector<sstream::NewFile>& files, const sstream::Context& context) {
  base::parallel_for(files.size(), base::reader_count(), [&](std::size_t i) {
    base::check_stop(context.stop);
    if (!io::is_http_url(files[i].origin)) {
      const auto adding = [&] { return base::cat("add ", files[i].path); };
      base::with_context(adding, [&] { sstream::verify_origin(files[i]); });
    }
  });
}

void require_same_content(const Supply& supply, const Item& theirs, const ProductTree& target,
                          const Item& ours) {
  for (const char* key : {"sha512", "sha256", "md5", "size"}) {
    const auto a = ours.tag(key);
    const auto b = theirs.tag(key);
    if (a && b && base::to_lower(*a) != base::to_lower(*b)) {
      throw base::Error(base::Errc::conflict,
                        base::cat(ours.pedigree().text(), ": ", key, " is ", *a, " in ",
                                  target.name(), " and ", *b, " in ", supply.name));
    }
  }
}

}  // namespace

bool is_linkable(const std::string& origin) {
  struct stat status {};

  return !io::is_http_url(origin) && ::lstat(origin.c_str(), &status) == 0 &&
         S_ISREG(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & ALLPERMS) == published_mode;
}

void require_files(const Supply& supply, const Pedigree& version, const Wanted& wanted,
                   sstream::Plan& plan) {
  for_each_wanted(supply.tree, version, wanted, [&](const Item& item) {
    if (const auto path = item.path()) {
      const auto origin = supply.locate(*path);
      plan.files.add(sstream::NewFile{.path = *path,
                                      .expected = sstream::Checksums::of(item, supply.allow_md5),
                                      .origin = origin,
                                      .may_link = supply.may_link && is_linkable(origin)});
    }
  });
}

void add_items(const Supply& supply, const Pedigree& version, const Wanted& wanted,
               sstream::Plan& plan, AddedItems& items) {
  require_files(supply, version, wanted, plan);
  for_each_wanted(supply.tree, version, wanted, [&](const Item& item) {
    items.emplace_back(item.pedigree(), item.path().value_or(""));
  });
}

void add_version(const Supply& supply, const Pedigree& version, const Wanted& wanted,
                 ProductTree& target, sstream::Plan& plan, AddedItems& items) {
  add_items(supply, version, wanted, plan, items);
  sstream::graft_version(supply.tree, version.product, version.version, target, wanted);
}

VersionDifference compare_version(const Supply& supply, const Pedigree& version,
                                  const Wanted& wanted, const ProductTree& target) {
  VersionDifference difference;
  for_each_wanted(supply.tree, version, wanted, [&](const Item& item) {
    const auto& id = item.pedigree();
    const auto own = target.view(id);
    if (!own) {
      difference.only_supply.push_back(id.item);
      return;
    }
    require_same_content(supply, item, target, *own);
    difference.same_tags =
        difference.same_tags && sstream::tags_of(supply.tree, id) == sstream::tags_of(target, id);
  });
  target.for_each_item_of(version.product, version.version, [&](const Item& own) {
    if (supply.tree.item(own.pedigree()) == nullptr) {
      difference.only_target.push_back(own.pedigree().item);
    }
  });
  return difference;
}

VersionDifference require_nothing_more(const Supply& supply, const Pedigree& version,
                                       const Wanted& wanted, const ProductTree& target) {
  auto difference = compare_version(supply, version, wanted, target);
  if (!difference.only_target.empty()) {
    throw base::Error(base::Errc::conflict,
                      base::cat(version.text(), ": ", target.name(), " has items that ",
                                supply.name, " lacks: ", base::join(difference.only_target, ", ")));
  }
  return difference;
}

void add_stream(ProductTree target, sstream::Plan& plan) {
  sstream::ready_to_publish(target);
  plan.streams.push_back(std::move(target));
  plan.streams.back().known_to_differ = true;
}

sstream::PublishResult publish_added(const std::string& directory, const sstream::Planner& planner,
                                     const sstream::PublishOptions& options,
                                     const sstream::Context& context) {
  const auto whole = [&](const sstream::Generation& live) {
    auto plan = planner(live);
    require_whole(plan.files.files(), context);
    return plan;
  };
  auto result = sstream::publish(directory, whole, options, context);
  if (options.dry_run) {
    base::with_context(options.action, [&] { verify_origins(result.files->files(), context); });
  }
  return result;
}

void require_other_directory(const std::string& source, const std::string& target) {
  const auto base = sstream::split_location(source).first;

  struct stat from {};

  struct stat to {};

  if (!io::is_http_url(source) && ::stat(base.c_str(), &from) == 0 &&
      ::stat(target.c_str(), &to) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino) {
    throw base::Error(base::Errc::usage,
                      base::cat("source ", source, " and target ", target, " are the same"));
  }
}

}  // namespace meph2
