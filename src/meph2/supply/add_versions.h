#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sstream/format/product_tree.h"
#include "sstream/publish/publication.h"

namespace meph2 {

/// One content of a source: its metadata, and where its files lie.
struct Supply {
  const sstream::ProductTree& tree;
  /// Local path or URL of a data file.
  std::function<std::string(const std::string& path)> locate;
  std::string name;        ///< what messages call it
  bool may_link = false;   ///< nobody writes to its files in place: hard links are fine
  bool allow_md5 = false;  ///< files that have no better digest are taken
};

using Wanted = std::function<bool(const sstream::Item& item)>;

/// Items that were added (dry run: would be), each with its path, empty for one without a file.
using AddedItems = std::vector<std::pair<sstream::Pedigree, std::string>>;

/// Names the files of the version's wanted items as needed. Where the supply allows it, a local
/// file may become a hard link if it is ours and has the mode of a published file: the owner of
/// another one could still write to it. Error(untrusted) for an unsafe path and for checksums that
/// are missing or malformed.
void require_files(const Supply& supply, const sstream::Pedigree& version, const Wanted& wanted,
                   sstream::Plan& plan);

/// require_files(), and lists the items.
void add_items(const Supply& supply, const sstream::Pedigree& version, const Wanted& wanted,
               sstream::Plan& plan, AddedItems& items);

/// Puts a version into `target` (sstream::graft_version), names its files and lists its items.
void add_version(const Supply& supply, const sstream::Pedigree& version, const Wanted& wanted,
                 sstream::ProductTree& target, sstream::Plan& plan, AddedItems& items);

/// How the items of a version that both sides have differ.
struct VersionDifference {
  std::vector<std::string> only_supply;
  std::vector<std::string> only_target;
  bool same_tags = true;  ///< of the items that both have, inherited ones included
};

/// Compares a version that both have. Error(conflict) naming both values where an item that both
/// have differs in a digest or in its size.
VersionDifference compare_version(const Supply& supply, const sstream::Pedigree& version,
                                  const Wanted& wanted, const sstream::ProductTree& target);

/// compare_version(), then Error(conflict) naming what the target has and the supply lacks.
VersionDifference require_nothing_more(const Supply& supply, const sstream::Pedigree& version,
                                       const Wanted& wanted, const sstream::ProductTree& target);

/// Ends a plan for one stream, which has changed: tags go to the level that consumers read them on.
void add_stream(sstream::ProductTree target, sstream::Plan& plan);

/// sstream::publish(), of a source that is whole: each local file that the plan names is there, a
/// regular file of the right size, even where the target has its content already or another file of
/// the plan has the same. A dry run also reads what the real run would bring in, so that it fails
/// where that would.
sstream::PublishResult publish_added(const std::string& directory, const sstream::Planner& planner,
                                     const sstream::PublishOptions& options,
                                     const sstream::Context& context);

/// Error(usage) when a local source is the directory that is to be changed.
void require_other_directory(const std::string& source, const std::string& target);

/// Whether a local file may be hard-linked into a repository: bringing a file in gives it a mode,
/// and a link must not change that of the original.
bool is_linkable(const std::string& origin);

}  // namespace meph2
