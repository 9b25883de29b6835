#include "meph2/image/steps/adjust.h"

#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/path.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "meph2/image/steps/packages_used.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;
using io::Json;
using Strings = std::vector<std::string>;

constexpr const char* proposed_list = "/etc/apt/sources.list.d/meph2-proposed.list";
constexpr const char* proposed_pin = "/etc/apt/preferences.d/meph2-proposed";

void write_text(const std::string& path, const std::string& text) {
  base::make_directories(base::parent_of(path));
  auto file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  file.write(text);
  file.close();
}

void add_repository(const Chroot& chroot, const std::string& repository, std::size_t number) {
  if (repository.starts_with("deb ") || repository.starts_with("deb-src ")) {
    write_text(base::cat("/etc/apt/sources.list.d/meph2-", number, ".list"), repository + "\n");
    return;
  }
  if (!base::find_program("add-apt-repository")) {
    chroot.apt_get({"update"});
    chroot.apt_get({"--no-install-recommends", "install", "software-properties-common"});
  }
  chroot.run_checked({"add-apt-repository", "--yes", "--no-update", repository});
}

void remove_below(const std::string& directory) {
  if (!base::exists_at(AT_FDCWD, directory)) {
    return;
  }
  for (const auto& name : base::list_directory(directory)) {
    if (name != "lock" && name != "partial") {
      base::remove_tree(base::cat(directory, "/", name));
    }
  }
}

/// What divert_programs() put away.
void restore_programs(const Chroot& chroot, const Strings& paths) {
  for (const auto& path : paths) {
    if (base::unlink_at(AT_FDCWD, path)) {
      chroot.run_checked({"dpkg-divert", "--local", "--rename", "--remove", path});
    }
  }
}

}  // namespace

void divert_programs(const Chroot& chroot, const Strings& paths) {
  for (const auto& path : paths) {
    if (!base::exists_at(AT_FDCWD, base::parent_of(path))) {
      continue;
    }
    chroot.run_checked(
        {"dpkg-divert", "--local", "--rename", "--divert", path + ".meph2-away", "--add", path});
    if (::symlink("/bin/true", path.c_str()) != 0) {
      base::throw_errno(errno, "make symlink", path);
    }
  }
}

void enable_proposed(const Proposed& proposed) {
  if (!proposed.wanted) {
    return;
  }
  if (proposed.line.empty()) {
    throw Error(Errc::usage,
                "--proposed: the file of release needs says nothing of where this "
                "release's proposed packages are");
  }
  write_text(proposed_list, proposed.line + "\n");
  if (!proposed.all) {
    // Only the packages asked for come from there.
    write_text(proposed_pin,
               base::cat("Package: *\nPin: release a=", proposed.suite, "\nPin-Priority: 100\n"));
  }
}

Json adjust(const Chroot& chroot, const AdjustInput& input) {
  divert_programs(chroot, input.divert);
  enable_proposed(input.proposed);
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
  base::unlink_at(AT_FDCWD, proposed_list);
  base::unlink_at(AT_FDCWD, proposed_pin);
  remove_below("/var/lib/apt/lists");
  chroot.run_checked({"apt-get", "clean"});
  return {{"archives", std::move(archives)},
          {"packages", versions_of(input.add, Chroot::packages())}};
}

}  // namespace meph2::image
