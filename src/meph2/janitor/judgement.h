#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <sys/stat.h>

#include "base/clock.h"
#include "sstream/janitor/orphans.h"

namespace meph2 {

/// What is to become of an entry of the list of orphans.
enum class Fate : std::uint8_t { undecided, reap, named, kept, changed, young, gone, rejected };

struct Judgement {
  Fate fate = Fate::undecided;
  std::string reason;                     ///< of what stays: named, kept, changed, rejected
  std::optional<sstream::FileMark> mark;  ///< of the file as it is, where that was looked at
};

/// When a file has been an orphan for long enough.
struct OrphanAge {
  base::Time now;
  std::chrono::seconds older;  ///< has to be exceeded
  bool any = false;            ///< whatever the age
};

/// Judges an entry that the streams name as `named` says (Fate::undecided: none does). `look` is
/// asked for the file, nullopt where there is none, only after the entry itself was found right;
/// `device` is that of the data directory.
Judgement judge(const sstream::Orphan& orphan, Judgement named, const OrphanAge& age, dev_t device,
                const std::function<std::optional<struct stat>()>& look);

}  // namespace meph2
