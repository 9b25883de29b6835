#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/io/meph2/build/world.h"
#include "tests/support/gpg_home.h"

namespace world {

inline const std::string archive_url = "http://archive.test/ubuntu";

/// A world with a package archive on its fake network, and a key that signs it.
class InstallerWorld : public World {
 public:
  InstallerWorld();

  /// Offers images/PATH files of one version, with their SHA256SUMS (or another list).
  void offer(const std::string& suite, const std::string& arch, const std::string& version,
             const std::vector<std::string>& paths, const std::string& images = "images",
             io::Algorithm algorithm = io::Algorithm::sha256);

  /// `current` of a suite and arch is this version.
  void make_current(const std::string& suite, const std::string& arch, const std::string& version);

  /// As Debian does it: the suite's InRelease names all lists of digests.
  void sign_suite(const std::string& suite);
  /// As Ubuntu does it: a detached signature beside each list, and an index of each directory.
  void sign_lists();
  void make_indexes();

  /// The same content under another URL.
  void move_to(const std::string& url);

  const std::string& keyring() const { return keyring_; }

  const support::GpgHome& keys() const { return home_; }

  std::string sign(const std::string& key, const std::string& text, bool clear) const;

  const std::string& key() const { return key_; }

 private:
  support::GpgHome home_;
  std::string key_;
  std::string keyring_;
};

/// A file's place in the archive.
std::string file_url(const std::string& below);

/// What a file of the archive holds.
std::string content_of(const std::string& suite, const std::string& arch,
                       const std::string& version, const std::string& path);

/// Kernel and initrd of amd64.
inline const std::vector<std::string> amd64_files{"MANIFEST",
                                                  "cdrom/vmlinuz",
                                                  "netboot/gtk/ubuntu-installer/amd64/linux",
                                                  "netboot/mini.iso",
                                                  "netboot/ubuntu-installer/amd64/initrd.gz",
                                                  "netboot/ubuntu-installer/amd64/linux"};

}  // namespace world
