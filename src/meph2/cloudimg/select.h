#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "meph2/config/stream_config.h"
#include "sstream/format/checksums.h"
#include "sstream/format/filter.h"
#include "sstream/format/product_tree.h"

namespace meph2 {

/// A cloud image on offer.
struct CloudImage {
  std::string release;  ///< codename
  std::string arch;
  std::string version;         ///< its name in the source
  std::string target_version;  ///< the name it gets: another one after --rebuild
  std::string path;            ///< in the source
  sstream::Checksums sums;

  /// "noble/amd64/20240501".
  std::string name() const { return release + "/" + arch + "/" + target_version; }
};

/// What is wanted of a source.
struct CloudImageFilter {
  std::set<std::string> releases;  ///< of the configuration, still supported
  std::set<std::string> arches;
  const sstream::Filters* filters = nullptr;   ///< on the source's items
  std::size_t max = 1;                         ///< newest versions of each release and arch
  std::map<std::string, std::string> rebuild;  ///< source version -> the name to build it under
};

/// Told why something on offer is left out; `expected` when that is nothing to act upon (an old
/// release).
using LeftOut = std::function<void(const std::string& reason, bool expected)>;

/// --rebuild OLD:NEW arguments. Error(usage) for anything else.
std::map<std::string, std::string> parse_rebuilds(const std::vector<std::string>& arguments);

/// The versions that a MAAS stream has of each "release/arch": of the products whose kernel is of
/// the release itself (krel == release), the primary ones. The names of the source's products do
/// not matter: the established tool compares with one spelling of them and builds everything again
/// from sources that have another.
std::map<std::string, std::set<std::string>> versions_in(const sstream::ProductTree& target);

/// The images to build: for each release and arch the newest versions that the target lacks, newest
/// first. Of a version the squashfs is taken, else tar.gz, else root.tar.xz. `sources` in order of
/// preference, for a version that several have. Error(untrusted) for an image without size or
/// digest.
std::vector<CloudImage> select_images(const std::vector<sstream::ProductTree>& sources,
                                      const sstream::ProductTree& target,
                                      const StreamConfig& config, const CloudImageFilter& filter,
                                      const LeftOut& left_out);

}  // namespace meph2
