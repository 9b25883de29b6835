#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meph2/installer/archive.h"
#include "meph2/supply/add_versions.h"
#include "sstream/publish/publication.h"

namespace meph2 {

struct NetbootMirrorOptions {
  std::string config;  ///< file that names archives, releases and arches; empty: Ubuntu's
  installer::ArchiveOptions installer;  ///< what it does not say, or not so
  std::vector<std::string> releases;    ///< empty: all that the configuration has kernels for,
                                        ///< without one those that are supported
  std::vector<std::string> arches;      ///< empty: likewise; without one, all of Ubuntu's
  std::vector<std::string> pockets;     ///< "release", "updates", ...; empty: the configuration's
  bool proposed = false;
  std::vector<std::string> filters;  ///< on items
  std::optional<std::size_t> max;    ///< the newest versions of each product
  bool keep = false;   ///< versions that left the archive stay, as long as `max` allows
  std::string target;  ///< data directory
  sstream::PublishOptions publish;
};

struct NetbootMirrorResult {
  AddedItems items;
  std::vector<sstream::Pedigree> removed;  ///< versions
  sstream::PublishResult published;
};

/// Publishes the debian-installer's kernels, initrds and device trees of an archive as the stream
/// com.ubuntu.installer:released:netboot: a product for each release and arch, whose versions are
/// those of the installer. What an archive lacks is logged; Error(not_found) where it has nothing
/// at all. Versions that left the archive go from the metadata, within the guard rails.
NetbootMirrorResult netboot_mirror(const NetbootMirrorOptions& options,
                                   const sstream::Context& context);

}  // namespace meph2
