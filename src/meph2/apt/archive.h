#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/fs/file.h"
#include "io/openpgp/openpgp.h"
#include "meph2/apt/release_file.h"
#include "sstream/format/checksums.h"
#include "sstream/repository/context.h"

namespace meph2::apt {

/// A package as the index of an archive offers it.
struct ArchivePackage {
  std::string name;
  std::string version;
  std::string architecture;
  std::string source;          ///< name of the source package
  std::string source_version;  ///< the binary's own where the index names no other
  std::string filename;        ///< of the .deb, below the archive's URL
  sstream::Checksums expected;

  bool operator==(const ArchivePackage&) const = default;
};

/// The packages of a Packages file whose names are in `names` (all if that is empty), in its order,
/// every version. Error(untrusted) "NAME:LINE: reason" where one of them lacks what is needed to
/// fetch it.
std::vector<ArchivePackage> parse_packages(std::string_view text, const std::string& name,
                                           const std::set<std::string>& names);

/// dists/SUITE/InRelease as it was fetched, to be kept for a conditional request.
struct KeptRelease {
  std::string text;  ///< with its signature: it is verified anew whenever it is used
  std::string etag;
  std::string date;  ///< Document::strong_date
};

/// A signed archive of Debian packages at an http(s) URL: one suite of it. All that it hands out
/// was verified: signature (docs/architecture.md, "What counts as signed") of InRelease, and size
/// and sha256 from there on.
class AptArchive {
 public:
  /// Fetches and verifies dists/SUITE/InRelease. With `kept` the request is conditional, and what
  /// was kept counts where the server says that it is current. Error(not_found) where there is
  /// none; Error(untrusted) where it does not verify, has expired, or is of another suite.
  AptArchive(const std::string& url, std::string suite, const io::Keyring& keyring,
             const sstream::Context& context, const std::optional<KeptRelease>& kept = {});

  const ReleaseFile& release() const { return release_; }

  /// What to keep for the next time.
  const KeptRelease& kept() const { return kept_; }

  /// The server said that what was kept is current.
  bool unchanged() const { return unchanged_; }

  /// "URL dists/SUITE", for messages.
  const std::string& name() const { return name_; }

  /// A file that the Release file lists, by its path below dists/SUITE; its content is what is
  /// listed. In a file without a name. Error(not_found) where it is not listed, or not there.
  base::File fetch(const std::string& path) const;

  /// The path of COMPONENT/binary-ARCH/Packages in the compression that is best to fetch (.xz, .gz,
  /// none); nullopt where none is listed.
  std::optional<std::string> packages_path(const std::string& component,
                                           const std::string& arch) const;

  /// parse_packages() of COMPONENT/binary-ARCH/Packages. Error(not_found) where it is not listed.
  std::vector<ArchivePackage> packages(const std::string& component, const std::string& arch,
                                       const std::set<std::string>& names) const;

  /// A package's .deb, verified, in a file without a name.
  base::File fetch_package(const ArchivePackage& package) const;

 private:
  base::File download(const std::vector<std::string>& paths,
                      const sstream::Checksums& expected) const;

  std::string url_;  ///< ends in "/"
  std::string suite_;
  std::string name_;
  const sstream::Context& context_;
  ReleaseFile release_;
  KeptRelease kept_;
  bool unchanged_ = false;
};

}  // namespace meph2::apt
