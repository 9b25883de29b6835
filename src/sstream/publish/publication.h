#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sstream/publish/guard.h"
#include "sstream/publish/new_stream.h"
#include "sstream/publish/verbatim.h"
#include "sstream/repository/generation.h"
#include "sstream/staging/bulk_staging.h"
#include "sstream/staging/staging.h"

namespace sstream {

/// What a verb wants to become of a repository: pure data, made from the live generation.
struct Plan {
  std::vector<NewFile> files;  ///< data files that the new metadata needs in place
  std::vector<ProductTree>
      streams;  ///< new content of these content ids, whole; `updated` is set by us
  /// The planner knows that each of the streams differs from what is live: they need not be
  /// compared where the numbers of versions do not tell, which takes a second tree in memory.
  bool differs = false;
  std::vector<std::string> dropped;  ///< content ids that go
  /// What the index says of a content beside what its document says (clouds, cloudname): key ->
  /// value, null where the key goes. Other keys stay as they are.
  std::map<std::string, io::Json> entries = {};
  /// The same as `streams`, for what is too large to be held as a tree.
  std::vector<std::unique_ptr<NewStream>> documents;
  /// The same as `files`, for very many: brought in batch by batch.
  std::unique_ptr<FileSpool> bulk;
  /// Set: the next generation is these files, byte for byte, and nothing else; nothing is signed.
  /// `streams`, `documents` and `dropped` are not looked at.
  std::optional<Verbatim> verbatim;
  /// What the history keeps of this change beside the usual (an object; of a promotion: the label,
  /// the source and the digests).
  io::Json details;
};

/// Called with the live generation; called again when somebody else published meanwhile. Must not
/// change anything.
using Planner = std::function<Plan(const Generation& live)>;

/// What a gate has to look at.
struct GateView {
  const Repository& repository;
  int live;  ///< directory of the live generation; -1: there is none
  int next;
  const std::vector<std::string>& written;  ///< documents of the next one that are new
};

/// Looks at the next generation before it becomes live, and throws where it must not. Called with
/// the commit lock held, in another thread than the checks of our own; in a dry run of a generation
/// that is written for it alone.
using PublicationGate = std::function<void(const GateView& view, const Context& context)>;

struct PublishOptions {
  std::string action;   ///< the verb, for messages
  bool create = false;  ///< make the repository if it is not there
  bool sign = true;
  std::string key;          ///< see io::Signer
  bool change_key = false;  ///< the stream becomes that key's: all is signed anew
  bool dry_run = false;
  std::chrono::seconds lock_timeout{60};
  GuardRails rails;
  PublicationGate gate;  ///< none: what reads back is published
};

struct PublishResult {
  bool changed = false;    ///< false: not one byte was touched
  std::string generation;  ///< name of the new one
  std::string updated;
  std::vector<NewFile> files;  ///< brought in (dry run: that would be), without those in bulk
  std::size_t file_count = 0;  ///< with them
  std::size_t files_reused = 0;
  std::uint64_t bytes = 0;
  std::shared_ptr<const BulkWork> bulk;
  std::vector<std::string> streams;  ///< content ids with new content
  /// What the history keeps: content id -> {product -> [versions before, versions after]}.
  io::Json changes = io::Json::object();
  std::vector<std::string> signed_documents;
  double seconds = 0;
};

/// The publication transaction (docs/architecture.md): readers see the old generation or the new
/// one, whole and signed; a failure leaves the stream unchanged; running again after any crash
/// converges. A dry run does everything that does not write.
PublishResult publish(const std::string& directory, const Planner& planner,
                      const PublishOptions& options, const Context& context);

/// The result as the JSON of --report.
io::Json report_of(const PublishResult& result, const PublishOptions& options);

}  // namespace sstream
