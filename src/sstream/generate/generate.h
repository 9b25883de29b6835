#pragma once

#include <map>
#include <string>
#include <vector>

#include "sstream/generate/scan_layout.h"
#include "sstream/publish/publication.h"

namespace sstream {

struct GenerateOptions {
  std::vector<std::string> lists;  ///< files of items, "-" is stdin; or
  ScanOptions scan;                ///< a directory of images, if it names one
  ListFormat format = ListFormat::detect;
  std::string content_id;  ///< of records that have none, and of what is scanned
  std::string datatype;    ///< empty: what the records say, else image-ids where all have an id and
                           ///< none a file, else image-downloads
  std::map<std::string, std::string> tags;  ///< for items that do not say otherwise
  std::string cloudname;                    ///< for the index entries of image-ids
  std::string files;          ///< where the files of the items are; empty: in the target
  bool look_at_files = true;  ///< false: the list's sizes and digests are believed
  bool md5 = false;           ///< say it beside sha256
  bool add = false;           ///< keep what is there and not on the list
  std::string target;         ///< data directory
  PublishOptions publish;
};

/// An item that the stream says something else about than before.
struct ItemChange {
  enum class Kind : std::uint8_t { added, changed, removed };

  Kind kind;
  std::string content_id;
  Pedigree id;
  std::string path;  ///< empty: it has no file
};

struct GenerateResult {
  PublishResult published;
  std::vector<ItemChange> items;
  std::size_t listed = 0;             ///< items of the lists
  std::vector<std::string> left_out;  ///< of a directory, see ScanResult
};

/// Makes streams of lists of items (parse_items()) or of a directory of images (scan_directory()):
/// each content id that they name becomes what they say, or with `add` gets it beside what it has;
/// other contents of the target stay. Every file is hashed, or with `look_at_files` off taken at
/// the list's word; files that are not in the target are brought in. Of image-ids the index gets
/// the clouds that the items name. Error(untrusted) naming file, line and field for what is wrong
/// with a list, Error(not_found) where there is no item or a file is missing.
GenerateResult generate(const GenerateOptions& options, const Context& context);

}  // namespace sstream
