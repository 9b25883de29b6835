#include "meph2/import/bootloaders.h"

#include <algorithm>

#include "base/error.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "io/tar/package_archive.h"
#include "meph2/apt/version.h"
#include "meph2/import/pick_files.h"

namespace meph2::import {

namespace {

using base::Errc;
using base::Error;

constexpr const char* ubuntu_archive_keyring = "/usr/share/keyrings/ubuntu-archive-keyring.gpg";
constexpr const char* packages_tag = "src_packages";

io::Keyring load_keyring(const ImportConfig& config, const std::string& option) {
  auto path = option.empty() ? config.bootloaders->keyring : option;
  if (path.empty() && base::exists_at(AT_FDCWD, ubuntu_archive_keyring)) {
    path = ubuntu_archive_keyring;
  }
  if (path.empty()) {
    throw Error(Errc::usage, base::cat(config.file, ": names no keyring of its archives, and ",
                                       ubuntu_archive_keyring, " is not there; give --keyring"));
  }
  return io::Keyring::load(path);
}

/// The item that the files of a source package go to.
std::string item_name(const Bootloader& loader, const std::string& source) {
  const auto found =
      std::ranges::find(loader.src_names, source, &std::pair<std::string, std::string>::first);
  return found == loader.src_names.end() ? source : found->second;
}

std::string joined(std::vector<std::string> packages) {
  std::ranges::sort(packages);
  return base::join(packages, " ");
}

}  // namespace

BootloaderImport::BootloaderImport(const ImportConfig& config, const std::string& keyring,
                                   Workshop& workshop)
    : config_(config), workshop_(workshop), keyring_(load_keyring(config, keyring)) {
  for (const auto& loader : config.bootloaders->bootloaders) {
    names_.insert(loader.packages.begin(), loader.packages.end());
  }
}

RememberedArchive& BootloaderImport::archive(const ArchiveSource& source) {
  auto& slot = archives_[base::cat(source.url, " ", source.suite)];
  if (!slot) {
    slot = std::make_unique<RememberedArchive>(workshop_.repository(), source.url, source.suite,
                                               keyring_, workshop_.context());
  }
  return *slot;
}

BootloaderImport::Resolved BootloaderImport::resolve(const Bootloader& loader,
                                                     const std::string& name) {
  Resolved newest;
  for (const auto& source : loader.sources) {
    auto& suite = archive(source);
    for (const auto& component : source.components) {
      for (auto& package : suite.packages(component, loader.arch, names_)) {
        if (package.name == name && (newest.archive == nullptr ||
                                     apt::version_less(newest.package.version, package.version))) {
          newest = {std::move(package), &suite.archive()};
        }
      }
    }
  }
  if (newest.archive == nullptr) {
    std::vector<std::string> asked;
    for (const auto& source : loader.sources) {
      asked.push_back(archive(source).archive().name());
    }
    throw Error(Errc::not_found, base::cat(loader.where, ": package ", name, " for ", loader.arch,
                                           ": none of ", base::join(asked, ", "), " has it"));
  }
  return newest;
}

bool BootloaderImport::is_published(const Bootloader& loader, const std::string& product,
                                    const std::map<std::string, Parts>& wanted) {
  const auto newest = workshop_.newest_version(config_.content_id, product);
  if (newest.empty()) {
    return false;
  }
  return std::ranges::all_of(wanted, [&](const auto& entry) {
    const sstream::Pedigree id{product, newest, entry.first};
    const auto item = workshop_.live(config_.content_id)->view(id);
    if (!item) {
      return false;
    }
    // Streams of the established tool know the first package's version only.
    const auto packages = item->tag(packages_tag);
    return item->tag("src_release") == loader.release &&
           (packages ? *packages == joined(entry.second.packages)
                     : item->tag("src_version") == entry.second.version);
  });
}

void BootloaderImport::fill(const Bootloader& loader, const std::vector<Resolved>& packages,
                            std::map<std::string, Parts>& parts) const {
  const auto& context = workshop_.context();
  std::vector<std::size_t> hits(loader.files.size());
  for (const auto& [package, archive] : packages) {
    base::check_stop(context.stop);
    auto deb = archive->fetch_package(package);
    const auto files = io::read_package_files(
        deb, [&](const std::string& path) { return wants(loader, path); }, {}, context.stop);
    auto picked = loader.grub_format.empty() ? pick_files(loader, files, hits)
                                             : std::map<std::string, std::string>();
    if (!loader.grub_format.empty() && !files.empty()) {
      picked[loader.grub_output] = make_grub_image(loader, files, context.stop);
      ++hits.front();
    }
    if (picked.empty()) {
      throw Error(Errc::not_found, base::cat(loader.where, ": package ", package.name, " ",
                                             package.version, ": none of its files is wanted"));
    }
    parts[item_name(loader, package.source)].files.merge(picked);
    if (!picked.empty()) {
      throw Error(Errc::failed, base::cat(loader.where, ": package ", package.name, ": ",
                                          picked.begin()->first, " comes from another one, too"));
    }
  }
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (hits[i] == 0) {
      throw Error(Errc::not_found,
                  base::cat(loader.where, ": no package has a file ", loader.files[i].pattern));
    }
  }
}

std::optional<NewVersion> BootloaderImport::import_one(const Bootloader& loader) {
  const auto& context = workshop_.context();
  const auto product =
      filled_in(config_.product_id,
                {{"os", loader.os}, {"firmware_platform", loader.platform}, {"arch", loader.arch}},
                loader.where);
  std::vector<Resolved> packages;
  std::map<std::string, Parts> parts;
  for (const auto& name : loader.packages) {
    packages.push_back(resolve(loader, name));
    const auto& package = packages.back().package;
    auto& part = parts[item_name(loader, package.source)];
    part.version = part.version.empty() ? package.version : part.version;
    part.packages.push_back(base::cat(package.name, "=", package.version));
  }
  if (!workshop_.force() && is_published(loader, product, parts)) {
    context.log.info(base::cat(product, ": built from the newest packages already"));
    return std::nullopt;
  }
  fill(loader, packages, parts);
  const auto parent = base::cat("bootloaders/", loader.platform, "/", loader.arch);
  NewVersion version;
  version.content_id = config_.content_id;
  version.product = product;
  version.product_tags = {{"arch", loader.arch},
                          {"arches", loader.arches},
                          {"bootloader-type", loader.platform},
                          {"label", "candidate"},
                          {"os", loader.os}};
  version.version = workshop_.next_version(config_.content_id, product, parent, ".0");
  for (const auto& [item, part] : parts) {
    const auto origin = workshop_.new_path(item + ".tar.xz");
    auto out = base::open_file(origin, O_RDWR | O_CREAT | O_EXCL);
    io::write_tar_xz(part.files, out);
    out.close();
    version.add(item, base::cat(parent, "/", version.version, "/", item, ".tar.xz"),
                {{"ftype", "archive.tar.xz"},
                 {packages_tag, joined(part.packages)},
                 {"src_package", item},
                 {"src_release", loader.release},
                 {"src_version", part.version}},
                sums_of(origin), origin);
  }
  return version;
}

std::vector<NewVersion> BootloaderImport::run() {
  std::vector<NewVersion> versions;
  for (const auto& loader : config_.bootloaders->bootloaders) {
    if (auto version =
            base::with_context("import bootloader", [&] { return import_one(loader); })) {
      versions.push_back(std::move(*version));
    }
  }
  return versions;
}

void BootloaderImport::save() const {
  for (const auto& entry : archives_) {
    entry.second->save();
  }
}

}  // namespace meph2::import
