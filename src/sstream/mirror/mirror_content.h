#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/fs/file.h"
#include "sstream/format/filter.h"
#include "sstream/janitor/path_set.h"
#include "sstream/mirror/mirror.h"
#include "sstream/publish/stream_spool.h"
#include "sstream/repository/generation.h"
#include "sstream/staging/file_list.h"

namespace sstream {

/// Gets a file that is to be there, without an origin.
using Want = std::function<void(FileEntry entry)>;

/// What becomes of one content of the source.
struct MirroredContent {
  std::unique_ptr<StreamSpool> stream;
  std::size_t items = 0;                   ///< taken
  std::size_t left_out = 0;                ///< items that the filters do not want
  std::optional<Pedigree> first_left_out;  ///< one of them, or of a version beyond `max`
  std::map<std::string, std::set<std::string>> versions;  ///< of the result
};

/// Chooses from one content, in little memory: `source` is its document, `live` the repository's
/// present one, if it has the content, `filters` are those of the options. `want` gets the files.
/// Error(untrusted) for an unsafe path anywhere in the source, and for files that are wanted but
/// have no size or no digest that counts.
MirroredContent choose_content(base::File& source, base::File* live, const MirrorOptions& options,
                               const Filters& filters, bool ours, const Want& want);

}  // namespace sstream
