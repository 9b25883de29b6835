#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/json/json.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// One publication, as the repository remembers it: a line of .data/.sstream/history.jsonl, which
/// is only ever appended to.
struct HistoryEntry {
  std::uint64_t generation = 0;
  std::string when;     ///< RFC 2822
  std::string who;      ///< user@host
  std::string command;  ///< as it was typed
  std::string action;   ///< the verb
  std::string base;     ///< digest of the generation that it replaced (Generation::digest)
  std::string digest;   ///< of the generation that it made
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  /// content id -> {product -> [versions before, versions after]}; a content that went is null.
  io::Json changes;
  io::Json details;  ///< what the verb adds; null without
};

/// What is known of the publications of a repository, oldest first.
struct History {
  std::vector<HistoryEntry> entries;
  std::size_t unreadable = 0;  ///< lines that a crash tore or somebody spoilt
};

/// "00000012": the name of a generation, of a kept one also under .data/.sstream/generations/.
std::string generation_name(std::uint64_t number);

/// Appends one entry, durably. Called under commit.lock before the generation becomes live: an
/// entry whose generation never did is followed by another one with its number.
void append_history(const Repository& repository, const HistoryEntry& entry);

/// The newest line, whether its generation was ever published or not; reads only the file's end.
std::optional<HistoryEntry> last_history(const Repository& repository);

/// The repository's state, brought up to what is live when the last publication died between the
/// visible step and writing its state, or when the state was lost.
RepositoryState recovered_state(const Repository& repository, const std::string& live_digest);

/// What was published: of several entries with one number the last counts, and one beyond
/// `published` counts only if it made what is live now (`live_digest`): the run died before it
/// could write its state.
History read_history(const Repository& repository, std::uint64_t published,
                     const std::string& live_digest);

}  // namespace sstream
