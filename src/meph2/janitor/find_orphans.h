#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "sstream/janitor/orphans.h"
#include "sstream/repository/context.h"

namespace meph2 {

struct FindOrphansOptions {
  std::string orphans;  ///< the list; "-": only to be printed
  std::string data_d;
  std::vector<std::string> streams;  ///< as typed; empty: data_d's own
  std::string keyring;               ///< set: every stream must be signed by one of its keys
  bool require_signed = false;
  bool allow_empty = false;
  bool rebuild = false;  ///< whatever the list held is forgotten
  bool dry_run = false;
  std::chrono::seconds lock_timeout{60};
};

struct FindOrphansResult {
  sstream::OrphanFile list;          ///< what was, or would be, recorded
  std::uint64_t bytes = 0;           ///< of all orphans
  std::size_t added = 0;             ///< that the list did not have
  std::size_t dropped = 0;           ///< that the list had: named again, or gone
  std::size_t restarted = 0;         ///< whose time begins anew: changed, or named meanwhile
  std::size_t young = 0;             ///< left out: somebody is adding files now
  std::vector<std::string> special;  ///< links, devices, other repositories: left alone
};

/// Records which files of data_d no stream names. Error(usage) without any stream; refuses, as
/// sstream::for_each_reference does, when one of the streams cannot be read whole. Nothing but the
/// list is changed, and nothing is deleted on the strength of it alone: reap_orphans looks again.
FindOrphansResult find_orphans(const FindOrphansOptions& options, const sstream::Context& context);

}  // namespace meph2
