#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sstream/publish/guard.h"
#include "sstream/publish/plan.h"
#include "sstream/repository/context.h"

namespace sstream {

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
  /// Brought in (dry run: that would be); null before it is known.
  std::shared_ptr<const FileList> files;
  std::size_t file_count = 0;  ///< their number
  std::size_t files_reused = 0;
  std::uint64_t bytes = 0;
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

/// The result as the JSON of --report, which lists the files unless they came in batch by batch.
io::Json report_of(const PublishResult& result, const PublishOptions& options);

}  // namespace sstream
