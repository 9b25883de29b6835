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
  std::string datatype = "image-downloads";  ///< of a stream that is not there yet
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

/// The name for a new version of a product that has `there`: DAY and `first` (".0", "_01"), or,
/// where that would not sort after all of them as a string, the next number after the newest of
/// that form. A number keeps its digits, and gets one more where they are all nines (.8, .9, .90,
/// ..., .99, .990): so a tenth version of a day still sorts last, which .10 does not.
/// Error(conflict) where the newest is of another form and sorts after the day.
std::string next_version(const std::vector<std::string>& there, const std::string& day,
                         const std::string& first);

/// Puts the versions into what is live: all other keys of its documents stay. Error(conflict) where
/// a version has come there meanwhile.
sstream::Plan plan_versions(const std::vector<NewVersion>& versions,
                            const sstream::Generation& live);

AddedItems items_of(const std::vector<NewVersion>& versions);

}  // namespace meph2::import
