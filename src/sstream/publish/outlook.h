#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sstream/publish/guard.h"
#include "sstream/publish/next_generation.h"
#include "sstream/publish/plan.h"

namespace sstream {

/// A content whose document is written anew.
struct ContentChange {
  std::string content_id;
  std::string file;  ///< name in streams/v1
  std::unique_ptr<NewStream> content;
  StreamSummary summary;
  io::Json versions;  ///< see changed_versions()
};

/// What a plan comes to on the live generation.
struct WhatChanges {
  std::vector<ContentChange> contents;  ///< to be written; none for exact metadata
  Listing listed;                       ///< by the next index
  std::vector<std::string> streams;     ///< content ids with new content
  /// What the history keeps: content id -> changed_versions(), or null where it goes.
  io::Json versions = io::Json::object();
  bool same_content = false;  ///< the live generation says all of it already
};

/// Applies the guard rails, before anything is written: see check_shrink(). Reads the documents
/// that stay as they are, so that a spoilt one stops the publication before anything is brought in.
/// Takes the streams out of the plan. Error(untrusted) for a content id that is not fit for a file
/// name.
WhatChanges outlook(const Generation& live, Plan& plan, const GuardRails& rails);

/// The same for metadata that is published as it is.
WhatChanges exact_outlook(const Generation& live, ExactMetadata& metadata, const GuardRails& rails);

/// product -> [versions before, versions after], where the numbers differ.
io::Json changed_versions(const StreamSummary& before, const StreamSummary& after);

/// The index over `listed`, with the `updated` of the live one.
io::Json next_index(const Generation& live, const Listing& listed);

/// The stamps that the next one has to come after, beside that of the repository's state.
std::vector<std::string> earlier_stamps(const Generation& live,
                                        const std::vector<ContentChange>& contents);

/// max(now, every earlier stamp + 1 s): strictly increasing, whatever the clock does. What is no
/// stamp does not count.
base::Time next_stamp(base::Time now, const std::vector<std::string>& earlier);

}  // namespace sstream
