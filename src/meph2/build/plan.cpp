#include "meph2/build/plan.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "base/template.h"

namespace meph2 {

namespace {

/// MAAS keeps version names in a column of 32 characters, and they become a directory.
void require_version_name(const std::string& name) {
  const bool one_name = base::unsafe_path_reason(name) == nullptr &&
                        name.find_first_of("/ ,:") == std::string::npos && name[0] != '-' &&
                        name[0] != '.';
  if (!one_name || name.size() > 32) {
    throw base::Error(base::Errc::usage,
                      base::cat("version '", name,
                                "': expected a name like 20240501 or 20240501.1, of at most "
                                "32 characters"));
  }
}

/// The subarch with the flavor in it, unless generic; "-edge" stays at the end
/// (docs/format.md 4.2).
std::string product_subarch(const KernelRow& row) {
  constexpr std::string_view edge = "-edge";
  if (row.flavor == "generic") {
    return row.subarch;
  }
  if (row.subarch.ends_with(edge)) {
    return base::cat(row.subarch.substr(0, row.subarch.size() - edge.size()), "-", row.flavor,
                     edge);
  }
  return base::cat(row.subarch, "-", row.flavor);
}

/// Tags that all products of a build share.
io::Json release_tags(const StreamConfig& config, const ReleaseConfig& release,
                      const BuildRequest& request, const DistroRelease* info) {
  io::Json tags{{"arch", request.arch},
                {"label", "candidate"},
                {"os", config.os},
                {"release", release.codename},
                {"release_title", release.version},
                {"version", release.version}};
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) {
      tags[key] = value;
    }
  };
  if (info != nullptr) {
    set("release_title", info->title);
    set("release_codename", info->codename);
    set("support_eol", info->eol);
    set("support_esm_eol", info->eol_esm);
  }
  return tags;
}

/// Plans the products of one image.
class Planner {
 public:
  Planner(const StreamConfig& config, const ReleaseConfig& release, const BuildRequest& request)
      : config_(config), release_(release), request_(request) {
    plan_.arch = request.arch;
    plan_.release = release.codename;
    plan_.version_name = request.version_name;
    plan_.builtin_kernel = release.builtin_kernel(request.arch);
    // trusty's curtin cannot take a squashfs alone.
    plan_.want_root_image = config.root_image || release.codename == "trusty";
    plan_.want_squashfs = config.squashfs;
    directory_ = base::cat(release.codename, "/", request.arch, "/", request.version_name, "/");
    plan_.root_image = directory_ + "root-image.gz";
    plan_.manifest =
        directory_ + (plan_.want_squashfs ? "squashfs.manifest" : "root-image.manifest");
    set_flags();
  }

  BuildPlan take() { return std::move(plan_); }

  void add(const KernelRow& row, io::Json tags) {
    const auto psubarch = product_subarch(row);
    PlannedProduct product;
    product.name =
        base::cat(config_.product_id_pre, ":", release_.version, ":", request_.arch, ":", psubarch);
    if (!names_.insert(product.name).second) {
      throw base::Error(base::Errc::usage,
                        base::cat(row.where, ": a second row for the product ", product.name));
    }
    tags["kflavor"] = row.flavor;
    tags["krel"] = row.krel;
    tags["subarch"] = row.subarch;
    tags["subarches"] = base::join(row.subarches, ",");
    product.tags = std::move(tags);
    product.row = row;
    add_boot_files(row, psubarch, product);
    add_images(product);
    plan_.products.push_back(std::move(product));
  }

 private:
  void set_flags() {
    const auto flag = [&](const std::string& name, const std::string& given,
                          const std::string& configured) {
      const auto& value = given.empty() ? configured : given;
      if (!value.empty()) {
        plan_.flags.push_back(name);
        plan_.flags.push_back(value);
      }
    };
    if (!request_.image_format.empty()) {
      plan_.flags.push_back("--format=" + request_.image_format);
    }
    plan_.proposed = request_.proposed || config_.enable_proposed;
    if (plan_.proposed) {
      plan_.flags.emplace_back("--proposed");
    }
    flag("--proposed-packages", request_.proposed_packages, config_.proposed_packages);
    flag("--pre-purge-packages", request_.pre_purge_packages, config_.pre_purge_packages);
  }

  std::string boot_directory(const KernelRow& row, const std::string& psubarch) const {
    return base::cat(
        directory_,
        base::expand_template(config_.kname, {{"release", release_.codename},
                                              {"arch", request_.arch},
                                              {"version_name", request_.version_name},
                                              {"version", release_.version},
                                              {"product_id_pre", config_.product_id_pre},
                                              {"krel", row.krel},
                                              {"kpkg", row.kpackage},
                                              {"flavor", row.flavor},
                                              {"psubarch", psubarch},
                                              {"subarch", row.subarch},
                                              {"suffix", row.suffix}}),
        "/", row.flavor, "/");
  }

  void add_item(PlannedProduct& product, const std::string& ftype, const std::string& path,
                const std::string& kpackage) {
    io::Json item{{"ftype", ftype}, {"path", path}};
    if (!kpackage.empty()) {
      item["kpackage"] = kpackage;
    }
    product.items.emplace_back(ftype, std::move(item));
    base::require_safe_path(path);
    if (std::ranges::find(plan_.paths, path) == plan_.paths.end()) {
      plan_.paths.push_back(path);
    }
  }

  void add_boot_files(const KernelRow& row, const std::string& psubarch, PlannedProduct& product) {
    const auto directory = boot_directory(row, psubarch);
    PlannedKernel pack;
    pack.kpackage = row.kpackage;
    pack.kernel = base::cat(directory, "boot-kernel", row.suffix);
    pack.initrd = base::cat(directory, "boot-initrd", row.suffix);
    pack.kihelper = row.kihelper;
    require_new(row, pack.kernel);
    add_item(product, "boot-kernel", pack.kernel, row.kpackage);
    add_item(product, "boot-initrd", pack.initrd, row.kpackage);
    if (!row.dtb.empty()) {
      pack.dtb_name = row.dtb;
      pack.dtb = base::cat(directory, "boot-dtb", row.suffix);
      add_item(product, "boot-dtb", pack.dtb, row.kpackage);
    }
    plan_.packs.push_back(std::move(pack));
  }

  /// Two kernels on one path: the later would be published under both names.
  void require_new(const KernelRow& row, const std::string& path) const {
    if (std::ranges::find(plan_.paths, path) != plan_.paths.end()) {
      throw base::Error(base::Errc::usage,
                        base::cat(row.where, ": a second kernel for ", path, "; kname (",
                                  config_.kname, ") must tell them apart"));
    }
  }

  void add_images(PlannedProduct& product) {
    if (plan_.want_squashfs) {
      add_item(product, "squashfs", directory_ + "squashfs", "");
    }
    add_item(product, "manifest", plan_.manifest, "");
    if (plan_.want_root_image) {
      add_item(product, "root-image.gz", plan_.root_image, "");
    }
  }

  const StreamConfig& config_;
  const ReleaseConfig& release_;
  const BuildRequest& request_;
  std::string directory_;
  std::set<std::string> names_;
  BuildPlan plan_;
};

}  // namespace

BuildPlan plan_build(const StreamConfig& config, const BuildRequest& request,
                     const DistroRelease* info) {
  const auto& release = config.require_release(request.release);
  config.require_arch(release, request.arch);
  require_version_name(request.version_name);
  Planner planner(config, release, request);
  const auto tags = release_tags(config, release, request, info);
  for (const auto& row : release.kernels) {
    if (row.arch == request.arch) {
      planner.add(row, tags);
    }
  }
  return planner.take();
}

std::vector<std::string> builder_command(const BuildPlan& plan, const std::string& program,
                                         unsigned verbosity, const std::string& source,
                                         const std::string& out) {
  std::vector<std::string> argv{program};
  const auto at = [&](const std::string& path) { return base::cat(out, "/", path); };
  if (verbosity > 0) {
    argv.push_back("-" + std::string(std::min(verbosity, 2U), 'v'));
  }
  argv.insert(argv.end(), plan.flags.begin(), plan.flags.end());
  if (!plan.want_root_image) {
    argv.emplace_back("--no-gzip");
  }
  if (!plan.want_squashfs) {
    argv.emplace_back("--no-squashfs");
  }
  argv.push_back("--kernel=" + plan.builtin_kernel);
  argv.push_back("--arch=" + plan.arch);
  argv.push_back("--manifest=" + at(plan.manifest));
  argv.push_back(source);
  argv.push_back(at(plan.root_image));
  for (const auto& pack : plan.packs) {
    auto text = base::cat("--krd-pack=", pack.kpackage, ",", at(pack.kernel), ",", at(pack.initrd));
    if (!pack.dtb.empty()) {
      text += base::cat(",--dtb=", pack.dtb_name, "=", at(pack.dtb));
    }
    if (!pack.kihelper.empty()) {
      text += base::cat(",--kihelper=", pack.kihelper);
    }
    argv.push_back(std::move(text));
  }
  return argv;
}

}  // namespace meph2
