#include "meph2/installer/netboot_mirror.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "meph2/apt/version.h"
#include "meph2/config/distro_info.h"
#include "sstream/format/condense.h"
#include "sstream/format/filter.h"
#include "sstream/format/graft.h"
#include "sstream/format/work_plan.h"

namespace meph2 {

namespace {

using installer::FileKind;
using installer::InstallerVersion;
using installer::VersionFile;
using sstream::ProductTree;

/// One release and arch.
struct Source {
  std::string product;
  io::Json tags;
  std::unique_ptr<installer::InstallerArchive> archive;
  std::vector<InstallerVersion> versions;
};

StreamConfig config_of(const std::string& path) {
  if (!path.empty()) {
    return read_stream_config(path);
  }
  StreamConfig ubuntu;
  set_installer_defaults(ubuntu);
  return ubuntu;
}

/// "com.ubuntu.installer", "org.debian.installer".
std::string publisher_of(const std::string& os) {
  return base::cat(os == "debian" ? "org" : "com", ".", os, ".installer");
}

std::string item_name(const VersionFile& file) {
  const auto& what = file.what;
  const auto tail = what.kind == FileKind::dtb ? file.name() : what.image_format;
  return base::cat(what.kernel_release, "-", what.flavor, "-", installer::name_of(what.kind), ".",
                   tail);
}

/// As the established tool lays them out.
std::string item_path(const std::string& directory, const VersionFile& file) {
  const auto& what = file.what;
  const auto below = base::cat(directory, what.kernel_release, "/", what.flavor, "/");
  const auto* stem = what.kind == FileKind::dtb      ? "dtb."
                     : what.kind == FileKind::kernel ? "kernel."
                                                     : "initrd-netboot.";
  return base::cat(below, stem, what.kind == FileKind::dtb ? file.name() : what.image_format);
}

io::Json item_tags(const VersionFile& file, const std::string& path) {
  io::Json tags{{"basename", file.name()},
                {"ftype", installer::name_of(file.what.kind)},
                {"image-format", file.what.image_format},
                {"kernel-flavor", file.what.flavor},
                {"kernel-release", file.what.kernel_release},
                {"path", path}};
  if (file.what.kind == FileKind::initrd) {
    tags["initrd-flavor"] = "netboot";
  }
  if (!file.sums.sha256.empty()) {
    tags["sha256"] = file.sums.sha256;
  }
  if (!file.sums.md5.empty()) {
    tags["md5"] = file.sums.md5;
  }
  if (file.sums.size > 0) {
    tags["size"] = file.sums.size;
  }
  return tags;
}

/// One run of netboot_mirror(): the pieces that its steps share.
class NetbootMirror {
 public:
  NetbootMirror(const NetbootMirrorOptions& options, const sstream::Context& context)
      : options_(options),
        context_(context),
        config_(config_of(options.config)),
        info_(DistroInfo::load(config_.distro_info)),
        filters_(options.filters),
        publisher_(publisher_of(config_.os)),
        content_id_(publisher_ + ":released:netboot") {}

  NetbootMirrorResult run() {
    read_archives();
    find_sizes();
    result_.published = sstream::publish(
        options_.target, [&](const sstream::Generation& live) { return plan(live); },
        options_.publish, context_);
    return std::move(result_);
  }

 private:
  std::vector<std::string> releases() const {
    if (!options_.releases.empty()) {
      return options_.releases;
    }
    std::vector<std::string> names;
    if (!options_.config.empty()) {
      for (const auto& release : config_.releases) {
        names.push_back(release.codename);
      }
      return names;
    }
    const auto today = base::date_of(context_.clock.now());
    for (const auto& name : info_.series()) {
      if (info_.find(name)->supported(today)) {
        names.push_back(name);
      }
    }
    return names;
  }

  std::vector<std::string> arches(const std::string& release) const {
    if (!options_.arches.empty()) {
      return options_.arches;
    }
    const auto* configured = config_.release(release);
    if (configured == nullptr) {
      return {"amd64", "arm64", "armhf", "i386", "ppc64el", "s390x"};  // that had an installer
    }
    const auto names = configured->arches();
    return {names.begin(), names.end()};
  }

  std::vector<std::string> pockets() const {
    if (options_.pockets.empty()) {
      return installer::pockets_of(config_, options_.proposed);
    }
    std::vector<std::string> suffixes;
    for (const auto& name : options_.pockets) {
      suffixes.push_back(name == "release" ? "" : "-" + name);
    }
    return suffixes;
  }

  io::Json product_tags(const std::string& release, const std::string& arch) const {
    const auto* known = info_.find(release);
    if (known == nullptr) {
      throw base::Error(base::Errc::usage,
                        base::cat("release '", release, "': ", config_.distro_info,
                                  " of distro-info does not know it"));
    }
    const auto* configured = config_.release(release);
    const auto version = configured != nullptr ? configured->version
                                               : known->title.substr(0, known->title.find(' '));
    io::Json tags{{"arch", arch},
                  {"os", config_.os},
                  {"release", release},
                  {"release_codename", known->codename},
                  {"release_title", known->title},
                  {"version", version}};
    if (!known->eol.empty()) {
      tags["support_eol"] = known->eol;
    }
    return tags;
  }

  void read_archives() {
    bool any = false;
    for (const auto& release : releases()) {
      const installer::ImageTree tree{config_.os, release, info_.series()};
      for (const auto& arch : arches(release)) {
        Source source;
        source.tags = product_tags(release, arch);
        source.product = base::cat(
            publisher_, ":netboot:", source.tags.at("version").get<std::string>(), ":", arch);
        source.archive = std::make_unique<installer::InstallerArchive>(
            archive_options(config_, options_.installer, arch), context_);
        source.versions = source.archive->versions(tree, arch, pockets());
        apply_filters(source);
        any = any || !source.versions.empty();
        context_.log.info(base::cat(release, "/", arch, ": ", source.versions.size(),
                                    " versions of the installer"));
        sources_.push_back(std::move(source));
      }
    }
    if (!any) {
      throw base::Error(base::Errc::not_found,
                        "the archive has no debian-installer for these releases and arches");
    }
  }

  /// A version of which nothing is wanted is none.
  void apply_filters(Source& source) const {
    for (auto& version : source.versions) {
      std::erase_if(version.files, [&](const VersionFile& file) {
        sstream::Tags tags{{"product_name", source.product},
                           {"version_name", version.name},
                           {"item_name", item_name(file)},
                           {"pocket", pocket_name(version)}};
        for (const auto& node : {source.tags, item_tags(file, "")}) {
          for (const auto& [key, value] : node.items()) {
            if (const auto text = sstream::scalar_text(value); text && key != "path") {
              tags[key] = *text;
            }
          }
        }
        return !filters_.matches(tags);
      });
    }
    std::erase_if(source.versions,
                  [](const InstallerVersion& version) { return version.files.empty(); });
  }

  static std::string pocket_name(const InstallerVersion& version) {
    return version.pocket.empty() ? "release" : version.pocket.substr(1);
  }

  std::optional<ProductTree> live_tree() const {
    if (!base::exists_at(AT_FDCWD, options_.target)) {
      return std::nullopt;
    }
    const sstream::Repository target(options_.target, sstream::Access::read);
    return sstream::Generation::load(target).read_tree(content_id_);
  }

  /// As sstream::resolve_work(), but for what is the newest: of versions as Debian numbers them the
  /// last one as a string may be an old one ("+deb12u9").
  sstream::WorkPlan work_of(const Source& source, const ProductTree* target) const {
    const auto there =
        target == nullptr ? std::vector<std::string>() : target->versions(source.product);
    std::set<std::string> names;
    for (const auto& version : source.versions) {
      names.insert(version.name);
    }
    if (options_.keep) {
      names.insert(there.begin(), there.end());
    }
    std::vector<std::string> newest(names.begin(), names.end());
    std::ranges::stable_sort(
        newest, [](const auto& left, const auto& right) { return apt::version_less(right, left); });
    newest.resize(std::min(newest.size(), options_.max.value_or(newest.size())));
    sstream::WorkPlan work;
    const auto has = [](const std::vector<std::string>& list, const std::string& name) {
      return std::ranges::find(list, name) != list.end();
    };
    std::ranges::copy_if(newest, std::back_inserter(work.add),
                         [&](const auto& name) { return !has(there, name); });
    std::copy_if(there.rbegin(), there.rend(), std::back_inserter(work.remove),
                 [&](const auto& name) { return !has(newest, name); });
    return work;
  }

  /// Only of what is to be added: a list of digests says nothing of sizes, and each costs a
  /// request.
  void find_sizes() {
    const auto live = live_tree();
    for (auto& source : sources_) {
      const auto work = work_of(source, live ? &*live : nullptr);
      std::vector<VersionFile*> files;
      for (auto& version : source.versions) {
        if (std::ranges::find(work.add, version.name) != work.add.end()) {
          for (auto& file : version.files) {
            files.push_back(&file);
          }
        }
      }
      source.archive->find_sizes(files);
    }
  }

  sstream::Plan plan(const sstream::Generation& live) {
    result_.items.clear();
    result_.removed.clear();
    sstream::Plan plan;
    auto known = live.read_tree(content_id_);
    auto tree = known ? std::move(*known) : ProductTree::make(content_id_, "image-downloads");
    for (auto& source : sources_) {
      plan_product(source, tree, plan);
    }
    if (!result_.items.empty() || !result_.removed.empty()) {
      tree.prune();
      sstream::ready_to_publish(tree);
      plan.streams.push_back(std::move(tree));
    }
    return plan;
  }

  void plan_product(Source& source, ProductTree& tree, sstream::Plan& plan) {
    const auto work = work_of(source, &tree);
    for (const auto& name : work.add) {
      const auto version = std::ranges::find(source.versions, name, &InstallerVersion::name);
      add_version(source, *version, tree, plan);
    }
    for (const auto& name : work.remove) {
      tree.remove({source.product, name});
      result_.removed.push_back({source.product, name});
    }
  }

  void add_version(const Source& source, const InstallerVersion& version, ProductTree& tree,
                   sstream::Plan& plan) {
    auto fresh = ProductTree::make(content_id_, "image-downloads");
    fresh.set({source.product}, source.tags);
    fresh.set({source.product, version.name}, {{"pocket", pocket_name(version)}});
    const auto directory =
        base::cat("files/", source.tags.at("release").get<std::string>(), "/",
                  source.tags.at("arch").get<std::string>(), "/", version.name, "/");
    for (const auto& file : version.files) {
      const auto path = item_path(directory, file);
      const sstream::Pedigree id{source.product, version.name, item_name(file)};
      fresh.set(id, item_tags(file, path));
      plan.files.add(source.archive->new_file(file, path));
      result_.items.emplace_back(id, path);
    }
    sstream::graft_version(fresh, source.product, version.name, tree,
                           [](const sstream::Item&) { return true; });
  }

  const NetbootMirrorOptions& options_;
  const sstream::Context& context_;
  StreamConfig config_;
  DistroInfo info_;
  sstream::Filters filters_;
  std::string publisher_;
  std::string content_id_;
  std::vector<Source> sources_;
  NetbootMirrorResult result_;
};

}  // namespace

NetbootMirrorResult netboot_mirror(const NetbootMirrorOptions& options,
                                   const sstream::Context& context) {
  return NetbootMirror(options, context).run();
}

}  // namespace meph2
