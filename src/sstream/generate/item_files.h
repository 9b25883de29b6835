#pragma once

#include <string>
#include <vector>

#include "sstream/generate/item_list.h"
#include "sstream/repository/context.h"
#include "sstream/staging/new_file.h"

namespace sstream {

/// The files that a list of items names.
class ItemFiles {
 public:
  /// The files are in the repository `target` itself, or in `directory` if it is not empty (which
  /// may be the same). `md5`: say that digest too.
  ItemFiles(std::string target, std::string directory, bool md5, const Context& context);

  /// Reads every file, and writes size and digests into the tags of the items, and into those of
  /// the metadata of LXD and Incus the fingerprints of their images. Error(untrusted)
  /// where a record promises something else or the path leads out of the directory,
  /// Error(not_found) where there is no such file.
  void digest(std::vector<ItemRecord>& records);

  /// What the target has to get, or has.
  const std::vector<NewFile>& wanted() const { return wanted_; }

 private:
  class Origin;

  std::string target_;
  std::string directory_;
  bool md5_;
  const Context& context_;
  std::vector<NewFile> wanted_;
};

/// For a list that is believed: Error(untrusted) for a record with a path and without size or
/// without a digest that counts.
void require_promises(const std::vector<ItemRecord>& records);

}  // namespace sstream
