#include "meph2/janitor/judgement.h"

#include <algorithm>

#include "base/fs/beneath.h"
#include "base/strings.h"

namespace meph2 {

namespace {

/// No stream of this kind is older: a date before it says nothing about the file.
constexpr base::Time first_plausible{std::chrono::seconds(1262304000)};  // 2010-01-01

Judgement rejected(std::string reason) {
  return {Fate::rejected, std::move(reason), {}};
}

bool is_private(const std::string& path) {
  return path.starts_with("streams/") || path.starts_with(".data/") || path == "streams" ||
         path == ".data";
}

bool is_old(base::Time since, const sstream::FileMark& mark, const OrphanAge& age) {
  if (since < first_plausible) {
    since = base::Time(std::chrono::seconds(std::max(mark.mtime_ns, mark.ctime_ns) / 1000000000));
  }
  return age.any || since + age.older < age.now;
}

}  // namespace

Judgement judge(const sstream::Orphan& orphan, Judgement named, const OrphanAge& age, dev_t device,
                const std::function<std::optional<struct stat>()>& look) {
  if (const auto* reason = base::unsafe_path_reason(orphan.path); reason != nullptr) {
    return rejected(reason);
  }
  if (is_private(orphan.path)) {
    return rejected("no data file: metadata and private files are there");
  }
  if (named.fate != Fate::undecided) {
    return named;
  }
  const auto status = look();
  if (!status) {
    return {Fate::gone, {}, {}};
  }
  if (!S_ISREG(status->st_mode)) {
    return rejected("not a regular file");
  }
  if (status->st_dev != device) {
    return rejected("on another file system");
  }
  const auto mark = sstream::FileMark::of(*status);
  if (orphan.mark && *orphan.mark != mark) {
    return {Fate::changed, "changed since it was recorded", mark};
  }
  if (!orphan.since) {
    return rejected(base::cat("its date '", orphan.stamp, "' cannot be read"));
  }
  return {is_old(*orphan.since, mark, age) ? Fate::reap : Fate::young, {}, mark};
}

}  // namespace meph2
