#include "meph2/image/steps/adjust.h"

#include "base/error.h"
#include "base/fs/path.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "meph2/image/sandbox/namespaces.h"
#include "meph2/image/steps/packages_used.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;
using io::Json;
using Strings = std::vector<std::string>;

constexpr const char* proposed_list = "/etc/apt/sources.list.d/meph2-proposed.list";
constexpr const char* proposed_pin = "/etc/apt/preferences.d/meph2-proposed";

void add_repository(const Chroot& chroot, const std::string& repository, std::size_t number) {
  if (repository.starts_with("deb ") || repository.starts_with("deb-src ")) {
    chroot.root().write(base::cat("/etc/apt/sources.list.d/meph2-", number, ".list"),
                        repository + "\n", 0644);
    return;
  }
  if (!chroot.has_program("add-apt-repository")) {
    chroot.apt_get({"update"});
    chroot.apt_get({"--no-install-recommends", "install", "software-properties-common"});
  }
  chroot.run_checked({"add-apt-repository", "--yes", "--no-update", repository});
}

void remove_below(const ImageRoot& root, const std::string& directory) {
  for (const auto& name : root.list(directory)) {
    if (name != "lock" && name != "partial") {
      root.remove_tree(base::cat(directory, "/", name));
    }
  }
}

/// What divert_programs() put away.
void restore_programs(const Chroot& chroot, const Strings& paths) {
  for (const auto& path : paths) {
    if (chroot.root().remove(path)) {
      chroot.run_checked({"dpkg-divert", "--local", "--rename", "--remove", path});
    }
  }
}

}  // namespace

void divert_programs(const Chroot& chroot, const Strings& paths) {
  for (const auto& path : paths) {
    if (!chroot.root().exists(base::parent_of(path))) {
      continue;
    }
    chroot.run_checked(
        {"dpkg-divert", "--local", "--rename", "--divert", path + ".meph2-away", "--add", path});
    chroot.root().make_symlink("/bin/true", path);
  }
}

void enable_proposed(const ImageRoot& root, const Proposed& proposed) {
  if (!proposed.wanted) {
    return;
  }
  if (proposed.line.empty()) {
    throw Error(Errc::usage,
                "--proposed: the file of release needs says nothing of where this "
                "release's proposed packages are");
  }
  root.write(proposed_list, proposed.line + "\n", 0644);
  if (!proposed.all) {
    // Only the packages asked for come from there.
    root.write(proposed_pin,
               base::cat("Package: *\nPin: release a=", proposed.suite, "\nPin-Priority: 100\n"),
               0644);
  }
}

Json adjust(const Chroot& chroot, const AdjustInput& input) {
  divert_programs(chroot, input.divert);
  enable_proposed(chroot.root(), input.proposed);
  std::size_t number = 0;
  for (const auto& repository : input.repositories) {
    base::with_context(base::cat("repository ", repository),
                       [&] { add_repository(chroot, repository, number++); });
  }
  if (!input.purge.empty()) {
    base::with_context("packages to purge", [&] { chroot.apt_get({"purge"}, input.purge); });
  }
  base::with_context("package lists", [&] { chroot.apt_get({"update"}); });
  if (input.upgrade) {
    base::with_context("proposed packages", [&] { chroot.apt_get({"dist-upgrade"}); });
  }
  if (!input.add.empty()) {
    base::with_context("packages to add", [&] { chroot.apt_get({"install"}, input.add); });
  }
  auto archives = archives_in_use(chroot);
  restore_programs(chroot, input.divert);
  chroot.root().remove(proposed_list);
  chroot.root().remove(proposed_pin);
  remove_below(chroot.root(), "/var/lib/apt/lists");
  chroot.run_checked({"apt-get", "clean"});
  end_other_processes();
  return {{"archives", std::move(archives)},
          {"packages", versions_of(input.add, chroot.packages())}};
}

}  // namespace meph2::image
