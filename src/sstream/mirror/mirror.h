#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sstream/publish/publication.h"
#include "sstream/source/content_source.h"

namespace sstream {

enum class MirrorSigning : std::uint8_t {
  as_source,  ///< signed where the source is, or where the mirror has been
  always,
  never,
};

struct MirrorOptions {
  std::string source;                ///< directory, file or URL
  std::string path;                  ///< of the document to begin with, below the source
  std::vector<std::string> mirrors;  ///< other places of the same source
  std::string target;                ///< data directory
  std::vector<std::string> filters;
  std::optional<std::size_t> max;
  bool keep = false;
  bool exact = false;   ///< publish the source's own bytes
  bool files = true;    ///< false: metadata only
  bool verify = false;  ///< read the files that are in place, and mend what is damaged
  MirrorSigning signing = MirrorSigning::as_source;
  TrustOptions trust;
  PublishOptions publish;
};

struct MirrorResult {
  PublishResult published;
  bool unchanged = false;  ///< the source is as it was when this mirror was last brought up to date
  std::vector<std::string> contents;  ///< content ids that were looked at
  std::size_t items = 0;              ///< of the source that the mirror has
  std::size_t left_out = 0;           ///< that the filters leave out
  std::size_t unlisted = 0;           ///< files that are not named any more
  std::vector<FileEntry> removed;     ///< dry run: items that would not be named any more
};

/// Makes `target` a mirror of a source: what the filters and `max` choose of it is listed, signed
/// by us, and every listed file is there and verified; with `exact` all of it, in the source's own
/// bytes. One transaction; what a run that was stopped had fetched is not fetched again. A content
/// in which nothing matches is left as it is: several sources, or choices from one, can share a
/// target. Versions that are published again with other content are refreshed. Files that are not
/// named any more stay for the janitor (record_unlisted()). What was fetched stays under
/// SourceMemory::directory(), as the source signed it. Error(refused) where the source takes away
/// too much (PublishOptions::rails; not when the choice was changed), and for `exact` with a choice
/// that leaves listed files out; Error(not_found) where nothing matches.
MirrorResult mirror(const MirrorOptions& options, const Context& context);

}  // namespace sstream
