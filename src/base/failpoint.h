#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"

namespace base::failpoint {

/// Called before every mutating system call. In builds with MEPH2_FAILPOINTS the environment
/// variable SS_FAILPOINT=N:MODE makes the Nth such call of the process fail; MODE is `kill`
/// (SIGKILL before the call), `torn` (half of a write, then SIGKILL), `enospc`, `eio` (this call
/// only), `enospc-on` (this and all later ones). SS_FAILPOINT_LOG=FILE records each call, so that a
/// harness learns how many there are. Returns the errno to fail with, 0 to go on.
///
/// SS_FAILPOINT=N:stop:TEXT stops the process (SIGSTOP) before the Nth call, reads among them,
/// whose "CALL OBJECT" contains TEXT. It goes on after a SIGTERM, once the process has taken that.
#ifdef MEPH2_FAILPOINTS
int check(std::string_view call, std::string_view object);

/// Called before every read of a file or directory; only `stop` knows of it.
void reads(std::string_view object);

/// For writes: how many of `size` bytes to write before dying; `size` itself when not torn.
std::size_t torn_size(std::size_t size);
void die();

/// SS_SYNC_<name>=FIFO: blocks until somebody opens the FIFO for writing and closes it; lets a test
/// stop a process at an exact place.
void sync(const char* name);
#else
inline int check(std::string_view, std::string_view) {
  return 0;
}

inline void reads(std::string_view) {}

inline std::size_t torn_size(std::size_t size) {
  return size;
}

inline void die() {}

inline void sync(const char*) {}
#endif

/// check(); Error "ACTION OBJECT: reason" where the call has to fail.
inline void pass(std::string_view call, std::string_view action, std::string_view object) {
  if (const int injected = check(call, object); injected != 0) {
    throw_errno(injected, action, object);
  }
}

}  // namespace base::failpoint
