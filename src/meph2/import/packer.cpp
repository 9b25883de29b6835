#include "meph2/import/packer.h"

#include <filesystem>

#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/process/subprocess.h"
#include "base/strings.h"

namespace meph2::import {

namespace {

using base::Errc;
using base::Error;

std::string beside(const std::string& file, const std::string& name) {
  return (std::filesystem::absolute(file).parent_path() / name).lexically_normal().string();
}

/// What a build left behind.
struct Built {
  std::string item;  ///< root-tgz or root-dd.gz
  std::string image;
  std::string manifest;
};

class PackerImport {
 public:
  PackerImport(const ImportConfig& config, const PackerTemplate& source, Workshop& workshop)
      : source_(source),
        workshop_(workshop),
        directory_(base::cat(config.packer->directory.empty()
                                 ? beside(config.file, "../packer-maas")
                                 : beside(config.file, config.packer->directory),
                             "/", source.name)),
        hooks_(source.curtin_hooks.empty()
                   ? ""
                   : filled_in(source.curtin_hooks,
                               {{"curtin_path", beside(config.file, "../curtin")}}, source.where)) {
    const std::vector<std::pair<std::string, std::string>> values{
        {"os", source.os}, {"version", source.version}, {"arch", source.arch}};
    version_.content_id = filled_in(config.content_id, values, source.where);
    version_.product = filled_in(config.product_id, values, source.where);
    version_.product_tags = product_tags(source);
  }

  std::optional<NewVersion> run() {
    if (!base::exists_at(AT_FDCWD, directory_ + "/Makefile")) {
      throw Error(Errc::not_found,
                  base::cat(source_.where, ": ", directory_, "/Makefile: there is none"));
    }
    const auto parent = base::cat(source_.os, "/", source_.release, "/", source_.arch);
    version_.version = workshop_.next_version(version_.content_id, version_.product, parent, "_01");
    const auto path = base::cat(parent, "/", version_.version, "/");
    if (workshop_.dry_run()) {
      version_.only_planned = true;
      version_.items["root-tgz"] = {{"path", path + "root-tgz"}};
      return std::move(version_);
    }
    const auto built = build();
    const auto manifest = sums_of(built.manifest);
    if (!workshop_.force() && is_published(manifest)) {
      workshop_.context().log.info(
          base::cat(version_.product, ": an image with the same manifest is published already"));
      return std::nullopt;
    }
    version_.add(built.item, path + built.item, {{"ftype", built.item}}, sums_of(built.image),
                 built.image);
    version_.add("manifest", base::cat(path, built.item, ".manifest"), {{"ftype", "manifest"}},
                 manifest, built.manifest);
    return std::move(version_);
  }

 private:
  void make(const std::string& target, const std::string& manifest) const {
    base::Command command;
    command.argv = {"make", target};
    command.directory = directory_;
    command.output_fd = STDERR_FILENO;
    command.env["MANIFEST"] = manifest;
    if (!hooks_.empty()) {
      command.env["CURTIN_HOOKS"] = hooks_;
    }
    if (!source_.mirror.empty()) {
      command.env["KS_MIRROR"] = source_.mirror;
    }
    base::with_context(base::cat("build ", source_.name),
                       [&] { base::run_checked(command, workshop_.context().stop); });
  }

  Built build() {
    Built built;
    built.manifest = workshop_.new_path("manifest");
    make("clean", built.manifest);
    make("all", built.manifest);
    const auto stem = base::cat(directory_, "/", source_.name);
    if (base::exists_at(AT_FDCWD, stem + ".tar.gz")) {
      built.item = "root-tgz";
      built.image = stem + ".tar.gz";
    } else if (base::exists_at(AT_FDCWD, stem + ".dd.gz")) {
      built.item = "root-dd.gz";
      built.image = stem + ".dd.gz";
    } else {
      throw Error(Errc::failed, base::cat("build ", source_.name, ": make all made neither ", stem,
                                          ".tar.gz nor ", stem, ".dd.gz"));
    }
    if (!base::exists_at(AT_FDCWD, built.manifest)) {
      throw Error(Errc::failed,
                  base::cat("build ", source_.name, ": make all did not write $MANIFEST"));
    }
    return built;
  }

  bool is_published(const sstream::Checksums& manifest) {
    const auto* live = workshop_.live(version_.content_id);
    if (live == nullptr) {
      return false;
    }
    for (const auto& name : live->versions(version_.product)) {
      const auto* item = live->item({version_.product, name, "manifest"});
      if (item != nullptr && item->value("sha256", std::string()) == manifest.sha256) {
        return true;
      }
    }
    return false;
  }

  const PackerTemplate& source_;
  Workshop& workshop_;
  std::string directory_;
  std::string hooks_;
  NewVersion version_;
};

}  // namespace

std::vector<NewVersion> import_packer(const ImportConfig& config, Workshop& workshop) {
  std::vector<NewVersion> versions;
  for (const auto& source : config.packer->templates) {
    if (auto version = PackerImport(config, source, workshop).run()) {
      versions.push_back(std::move(*version));
    }
  }
  return versions;
}

}  // namespace meph2::import
