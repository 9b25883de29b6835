#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace meph2::image {

/// A paragraph of /var/lib/dpkg/status.
struct Package {
  std::string name;
  std::string version;
  std::string architecture;
  bool same = false;                 ///< Multi-Arch: same
  bool installed = false;            ///< Status: ... installed
  bool known = false;                ///< Status: anything but not-installed
  std::vector<std::string> depends;  ///< names of Depends and Pre-Depends, alternatives included
};

/// Error(untrusted) "NAME:LINE: ..." for what is no status file.
std::vector<Package> parse_dpkg_status(std::string_view text, const std::string& name);

/// nullptr where there is none of that name.
const Package* find_package(const std::vector<Package>& packages, const std::string& name);

/// What `dpkg-query --show` prints there: `package<TAB>version`, sorted.
std::string manifest_text(const std::vector<Package>& packages);

/// `root` and all installed packages that it needs, nearest first.
std::vector<std::string> dependency_closure(const std::vector<Package>& packages,
                                            const std::string& root);

/// A kernel file of an installed package.
struct KernelFile {
  std::string package;
  std::string path;     ///< "/boot/vmlinuz-6.1.0-1-amd64"
  std::string version;  ///< "6.1.0-1-amd64"
};

/// The kernel files among what a package owns (`paths`: its list file's lines).
std::vector<KernelFile> kernel_files(const std::string& package,
                                     const std::vector<std::string>& paths);

}  // namespace meph2::image
