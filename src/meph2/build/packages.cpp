#include "meph2/build/packages.h"

#include <sys/stat.h>

#include "base/error.h"
#include "base/fs/path.h"
#include "base/strings.h"
#include "io/image/squashfs.h"
#include "meph2/apt/archive.h"
#include "meph2/apt/version.h"

namespace meph2 {

namespace {

constexpr std::uint64_t largest_keyring = 4ULL << 20U;

bool is_keyring(const io::TreeNode& node) {
  const auto directory = base::parent_of(node.path);
  return S_ISREG(node.mode) && node.size <= largest_keyring &&
         (directory == "usr/share/keyrings" || directory == "etc/apt/trusted.gpg.d") &&
         (node.path.ends_with(".gpg") || node.path.ends_with(".asc"));
}

/// The components that a suite has packages of this architecture in.
std::set<std::string> components_of(const apt::ReleaseFile& release, const std::string& arch) {
  const auto tail = base::cat("/binary-", arch, "/Packages");
  std::set<std::string> components;
  for (const auto& [path, sums] : release.files) {
    if (const auto at = path.find(tail); at != std::string::npos && at > 0) {
      components.insert(path.substr(0, at));
    }
  }
  return components;
}

}  // namespace

std::optional<io::Keyring> archive_keys_of(base::File& squashfs) {
  std::string keys;
  io::Squashfs(squashfs).walk([&](const io::TreeNode& node, const io::Squashfs::Content& content) {
    if (!is_keyring(node)) {
      return;
    }
    std::string bytes(node.size, '\0');
    content([&](std::uint64_t offset, std::string_view piece) {
      bytes.replace(offset, piece.size(), piece);
    });
    try {
      keys += io::Keyring::from_bytes(std::move(bytes), node.path).binary();
    } catch (const base::Error&) {
      // a file of another form: it has no keys for us
    }
  });
  return keys.empty() ? std::nullopt
                      : std::optional(io::Keyring::from_bytes(std::move(keys), squashfs.name()));
}

std::map<std::string, std::string> offered_packages(const std::vector<UsedArchive>& archives,
                                                    const std::set<std::string>& names,
                                                    const std::string& arch,
                                                    const io::Keyring& keyring,
                                                    const sstream::Context& context) {
  std::map<std::string, std::string> newest;
  for (const auto& used : archives) {
    if (used.suite.ends_with("-backports")) {
      continue;
    }
    const apt::AptArchive archive(used.url, used.suite, keyring, context);
    for (const auto& component : components_of(archive.release(), arch)) {
      for (const auto& package : archive.packages(component, arch, names)) {
        auto& version = newest[package.name];
        if (version.empty() || apt::version_less(version, package.version)) {
          version = package.version;
        }
      }
    }
  }
  return newest;
}

}  // namespace meph2
