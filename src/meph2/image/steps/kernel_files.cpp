#include "meph2/image/steps/kernel_files.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/fs/tree.h"
#include "base/strings.h"

namespace meph2::image {

KernelFile choose_kernel(const std::vector<KernelFile>& found) {
  const auto signed_one = std::ranges::find_if(
      found, [](const auto& each) { return each.package.find("unsigned") == std::string::npos; });
  return signed_one != found.end() ? *signed_one : found.at(0);
}

KernelFile find_kernel(const Chroot& chroot, const std::string& package) {
  const auto packages = chroot.packages();
  std::map<std::string, const Package*> by_name;
  for (const auto& each : packages) {
    by_name.emplace(each.name, &each);
  }
  std::vector<KernelFile> found;
  for (const auto& name :
       dependency_closure(packages, package.substr(0, package.find_first_of("=/:")))) {
    for (const auto& file : kernel_files(name, chroot.files_of(*by_name.at(name)))) {
      if (chroot.root().exists(file.path)) {
        found.push_back(file);
      }
    }
  }
  if (found.empty()) {
    throw base::Error(base::Errc::failed,
                      base::cat("neither ", package, " nor what it depends on owns a kernel file"));
  }
  return choose_kernel(found);
}

std::string find_device_tree(const ImageRoot& root, const std::string& version,
                             const std::string& name) {
  for (const auto& directory : {base::cat("/usr/lib/linux-image-", version),
                                base::cat("/lib/firmware/", version, "/device-tree"),
                                base::cat("/usr/lib/firmware/", version, "/device-tree"),
                                base::cat("/boot/dtbs/", version)}) {
    if (!root.exists(directory)) {
      continue;
    }
    std::string found;
    const auto trees = root.open_directory(directory);
    base::walk_tree(trees.fd(), [&](const std::string& path, const struct stat& status) {
      const bool named = path == name || path.ends_with("/" + name) || path == name + ".dtb" ||
                         path.ends_with("/" + name + ".dtb");
      if (S_ISREG(status.st_mode) && named) {
        found = base::cat(directory, "/", path);
      }
      return found.empty();
    });
    if (!found.empty()) {
      return found;
    }
  }
  throw base::Error(base::Errc::failed, base::cat("device tree ", name, ": kernel ", version,
                                                  " has none of that name"));
}

}  // namespace meph2::image
