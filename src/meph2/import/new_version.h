#pragma once

#include <string>
#include <vector>

#include "io/json/json.h"
#include "meph2/supply/add_versions.h"
#include "sstream/format/checksums.h"
#include "sstream/format/graft.h"
#include "sstream/publish/publication.h"

namespace meph2::import {

/// A version that an importer made, on its way into a stream.
struct NewVersion {
  std::string content_id;
  std::string datatype;  ///< of a stream that is not there yet
  std::string product;
  io::Json product_tags = io::Json::object();
  std::string version;
  io::Json items = io::Json::object();  ///< name -> item
  std::vector<sstream::NewFile> files;
  /// A dry run could not make its files (a build would take hours): it is told of, not published.
  bool only_planned = false;

  /// An item with a file at `path`, which is `origin` now.
  void add(const std::string& name, const std::string& path, io::Json tags,
           const sstream::Checksums& sums, const std::string& origin);
};

/// Size and sha256 of a file; Error(failed) for one that is no regular file or is empty.
sstream::Checksums sums_of(const std::string& path, const std::stop_token& stop = {});

/// Writes a file that is to be published and has the content in memory.
sstream::Checksums write_file(const std::string& path, std::string_view content);

/// The versions of a product: those in the live stream, and the directories below `parent` in the
/// repository, so that a path that was ever published, or that a crash left, is not used again.
std::vector<std::string> versions_there(const std::string& repository,
                                        const sstream::ProductTree* live,
                                        const std::string& product, const std::string& parent);

/// Puts the versions into what is live: all other keys of its documents stay. Error(conflict) where
/// a version has come there meanwhile.
sstream::Plan plan_versions(const std::vector<NewVersion>& versions,
                            const sstream::Generation& live);

AddedItems items_of(const std::vector<NewVersion>& versions);

}  // namespace meph2::import
