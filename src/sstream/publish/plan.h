#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sstream/publish/exact.h"
#include "sstream/publish/new_stream.h"
#include "sstream/repository/generation.h"
#include "sstream/staging/file_list.h"

namespace sstream {

/// New content of one content id, whole; the publication sets its `updated`.
struct PlannedStream {
  PlannedStream(ProductTree tree)  // NOLINT(google-explicit-constructor): the usual one
      : content(std::make_unique<TreeStream>(std::move(tree))) {}

  explicit PlannedStream(std::unique_ptr<NewStream> stream) : content(std::move(stream)) {}

  std::unique_ptr<NewStream> content;
  /// The planner knows that it differs from what is live: it need not be compared where the numbers
  /// of versions do not tell, which takes a second tree in memory.
  bool known_to_differ = false;
};

/// What a verb wants to become of a repository: pure data, made from the live generation.
struct Plan {
  FileList files;  ///< data files that the new metadata needs in place
  std::vector<PlannedStream> streams;
  std::vector<std::string> dropped;  ///< content ids that go
  /// What the index says of a content beside what its document says (clouds, cloudname): key ->
  /// value, null where the key goes. Other keys stay as they are.
  std::map<std::string, io::Json> entries = {};
  /// Set: the next generation is these files, byte for byte, and nothing else; nothing is signed.
  /// `streams` and `dropped` are not looked at.
  std::optional<ExactMetadata> exact;
  /// What the history keeps of this change beside the usual (an object; of a promotion: the label,
  /// the source and the digests).
  io::Json details;
};

/// Called with the live generation; called again when somebody else published meanwhile. Must not
/// change anything.
using Planner = std::function<Plan(const Generation& live)>;

}  // namespace sstream
