#include "meph2/build/installer_items.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "meph2/build/built_tree.h"

namespace meph2 {

namespace {

using installer::FileKind;
using installer::InstallerVersion;
using installer::VersionFile;

constexpr const char* item_prefix = "di-";

/// The files of one row, all of one version.
struct RowFiles {
  const InstallerVersion* version = nullptr;
  std::vector<VersionFile*> files;
};

bool suits(const VersionFile& file, const KernelRow& row, FileKind kind) {
  if (file.what.kind != kind || file.what.kernel_release != row.krel ||
      file.what.flavor != row.flavor) {
    return false;
  }
  // A device tree is named by the row: whatever else boots with it.
  return kind == FileKind::dtb ? file.name() == row.dtb : file.what.image_format == row.di_format;
}

/// The row's files of a version, or nothing if one is missing.
std::vector<VersionFile*> files_of(InstallerVersion& version, const KernelRow& row) {
  std::vector<VersionFile*> files;
  for (const auto kind : {FileKind::kernel, FileKind::initrd, FileKind::dtb}) {
    if (kind == FileKind::dtb && row.dtb.empty()) {
      continue;
    }
    const auto found = std::ranges::find_if(
        version.files, [&](const VersionFile& file) { return suits(file, row, kind); });
    if (found == version.files.end()) {
      return {};
    }
    files.push_back(&*found);
  }
  return files;
}

RowFiles choose(std::vector<InstallerVersion>& versions, const KernelRow& row) {
  for (const bool current : {true, false}) {
    for (auto& version : versions) {
      if (version.current != current) {
        continue;
      }
      if (auto files = files_of(version, row); !files.empty()) {
        return {&version, std::move(files)};
      }
    }
  }
  return {};
}

std::string describe(const KernelRow& row) {
  auto text = base::cat("kernel ", row.krel, ", flavor ", row.flavor, ", format ", row.di_format);
  return row.dtb.empty() ? text : base::cat(text, ", device tree ", row.dtb);
}

/// Two rows may share a file, but not a name.
void add_file(sstream::NewFile file, const KernelRow& row, BuildPlan& plan) {
  const auto other = std::ranges::find(plan.installer_files, file.path, &sstream::NewFile::path);
  if (other == plan.installer_files.end()) {
    base::require_safe_path(file.path);
    plan.installer_files.push_back(std::move(file));
  } else if (other->expected != file.expected) {
    throw base::Error(base::Errc::usage,
                      base::cat(row.where, ": a second file for ", file.path,
                                "; rows with different di-formats need different suffixes"));
  }
}

/// Empty where it is not there.
std::string digest_in_place(const sstream::Repository& repository, const std::string& path) {
  const auto place = repository.place(path);
  auto file = base::find_beneath(place.dirfd, place.path, O_RDONLY);
  return file ? io::digest_file(io::Algorithm::sha256, file) : "";
}

using PlannedItems = std::vector<std::pair<std::string, io::Json>>;

io::Json item_of(const std::string& ftype, const sstream::NewFile& file,
                 const std::string& version) {
  io::Json item{{"di_version", version}, {"ftype", ftype}, {"path", file.path}};
  if (!file.expected.sha256.empty()) {
    item["sha256"] = file.expected.sha256;
  }
  item["size"] = file.expected.size;
  return item;
}

/// The di-* items of a version as a plan has them; none where the file of one is not in place.
PlannedItems live_items(const sstream::Repository& repository, const sstream::ProductTree& tree,
                        const std::string& product, const std::string& version_name) {
  PlannedItems items;
  bool complete = true;
  tree.for_each_item_of(product, version_name, [&](const sstream::Item& item) {
    const auto& name = item.pedigree().item;
    if (!complete || !name.starts_with(item_prefix)) {
      return;
    }
    sstream::NewFile file;
    file.path = item.path().value_or("");
    file.expected = sstream::Checksums::of(item);
    complete = in_place(repository, file.path, file.expected.size);
    items.emplace_back(
        name, item_of(item.tag("ftype").value_or(name), file, item.tag("di_version").value_or("")));
  });
  return complete ? items : PlannedItems();
}

}  // namespace

InstallerItems::Offer& InstallerItems::offer(const BuildPlan& plan) {
  auto& offer = offers_[base::cat(plan.release, "/", plan.arch, plan.proposed ? "/proposed" : "")];
  if (!offer.archive) {
    const installer::ImageTree tree{config_.os, plan.release, info_.series()};
    auto archive = std::make_unique<installer::InstallerArchive>(
        archive_options(config_, options_, plan.arch), context_);
    offer.versions =
        archive->versions(tree, plan.arch, installer::pockets_of(config_, plan.proposed));
    offer.archive = std::move(archive);
  }
  return offer;
}

void InstallerItems::add_to(BuildPlan& plan) {
  auto& offered = offer(plan);
  std::vector<RowFiles> chosen;
  std::vector<VersionFile*> wanted;
  for (const auto& product : plan.products) {
    chosen.push_back(choose(offered.versions, product.row));
    const auto& files = chosen.back().files;
    wanted.insert(wanted.end(), files.begin(), files.end());
    if (files.empty()) {
      context_.log.warning(base::cat(product.name, ": the archive has no installer for ",
                                     describe(product.row), "; published without di-* items"));
    }
  }
  if (wanted.empty()) {
    const auto mirrors = archive_options(config_, options_, plan.arch).mirrors;
    throw base::Error(base::Errc::not_found,
                      base::cat("no debian-installer for ", plan.release, "/", plan.arch, " at ",
                                base::join(mirrors, ", "),
                                "; name another archive with --di-mirror, or give --disable-di"));
  }
  std::ranges::sort(wanted);
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  offered.archive->find_sizes(wanted);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    auto& product = plan.products[i];
    for (const auto* file : chosen[i].files) {
      const auto ftype = base::cat(item_prefix, installer::name_of(file->what.kind));
      const auto path =
          base::cat(plan.release, "/", plan.arch, "/di/", chosen[i].version->name, "/",
                    product.row.krel, "/", product.row.flavor, "/", ftype, product.row.suffix);
      auto found = offered.archive->new_file(*file, path);
      product.items.emplace_back(ftype, item_of(ftype, found, chosen[i].version->name));
      add_file(std::move(found), product.row, plan);
    }
  }
}

bool adopt_installer_items(const std::string& repository, const sstream::Generation& live,
                           const std::string& content_id, BuildPlan& plan) {
  const auto tree = live.read_tree(content_id);
  if (!tree) {
    return false;
  }
  const sstream::Repository data(repository, sstream::Access::read);
  std::vector<PlannedItems> adopted;
  for (const auto& product : plan.products) {
    adopted.push_back(live_items(data, *tree, product.name, plan.version_name));
  }
  bool any = false;
  for (std::size_t i = 0; i < adopted.size(); ++i) {
    auto& items = plan.products[i].items;
    items.insert(items.end(), adopted[i].begin(), adopted[i].end());
    any = any || !adopted[i].empty();
  }
  return any;
}

InstallerFiles fetch_installer_files(const BuildPlan& plan, const std::string& repository,
                                     const std::string& space, const sstream::Context& context) {
  InstallerFiles result;
  const sstream::Repository target(repository, sstream::Access::read);
  const auto missing =
      sstream::find_missing(target, sstream::FileList(plan.installer_files), context)
          .missing.files();
  std::vector<base::File> parts;
  std::vector<io::FileRequest> requests;
  parts.reserve(missing.size());
  for (const auto& file : missing) {
    const auto directory = base::open_directory(space);
    const auto parent = base::open_parent_beneath(directory.fd(), file.path, true);
    parts.push_back(
        base::open_file_at(parent.fd(), base::base_name(file.path), O_RDWR | O_CREAT | O_EXCL));
    io::FileRequest request;
    request.url = file.origin;
    request.mirrors = file.mirrors;
    request.size = file.expected.size;
    std::tie(request.algorithm, request.digest) = file.expected.strongest();
    request.into = &parts.back();
    requests.push_back(std::move(request));
  }
  std::exception_ptr first;
  context.http.fetch(
      requests, context.progress,
      [&](std::size_t, const std::exception_ptr& error) { first = first ? first : error; },
      context.stop);
  if (first) {
    std::rethrow_exception(first);
  }
  for (const auto& file : plan.installer_files) {
    result.files.push_back(file);
    auto& sums = result.sums[file.path] = file.expected;
    if (sums.sha256.empty()) {
      sums.sha256 = digest_in_place(target, file.path);
    }
  }
  for (std::size_t i = 0; i < missing.size(); ++i) {
    auto& sums = result.sums[missing[i].path];
    sums.sha256 = io::digest_file(io::Algorithm::sha256, parts[i]);
    parts[i].close();
    const auto file = std::ranges::find(result.files, missing[i].path, &sstream::NewFile::path);
    file->expected = sums;
    file->origin = base::cat(space, "/", file->path);
    file->mirrors.clear();
    file->may_link = true;
  }
  return result;
}

}  // namespace meph2
