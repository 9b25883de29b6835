#include "meph2/janitor/judgement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using meph2::Fate;
using std::chrono::seconds;

constexpr std::int64_t now = 1'800'000'000;
constexpr std::int64_t hour = 3600;
constexpr dev_t device = 7;

base::Time at(std::int64_t second) {
  return base::Time(seconds(second));
}

struct stat file() {
  struct stat status {};

  status.st_mode = S_IFREG | 0644;
  status.st_dev = device;
  status.st_size = 5;
  status.st_mtim.tv_sec = now - 2 * hour;
  status.st_ctim.tv_sec = now - 2 * hour;
  return status;
}

struct stat changed(void (*change)(struct stat& status)) {
  auto status = file();
  change(status);
  return status;
}

/// An entry that is an hour and a second old, of a file that is as it was, where nothing else is
/// said; an hour has to be exceeded.
struct Case {
  std::string path = "a/file";
  std::optional<struct stat> status = file();
  Fate named = Fate::undecided;
  std::optional<sstream::FileMark> mark = sstream::FileMark::of(file());
  std::optional<std::int64_t> since = now - hour - 1;
  bool any = false;
  Fate fate = Fate::reap;
  std::string reason{};
};

const std::optional<struct stat> absent;
const auto directory = changed([](auto& status) { status.st_mode = S_IFDIR | 0755; });
const auto link_to_it = changed([](auto& status) { status.st_mode = S_IFLNK | 0777; });
const auto mounted = changed([](auto& status) { status.st_dev = device + 1; });
const auto grown = changed([](auto& status) { ++status.st_size; });
const auto young = changed([](auto& status) { status.st_ctim.tv_sec = now - hour; });

/// Where two things are wrong, the first in the order of judgement is the verdict.
const std::vector<Case> cases = {
    {.fate = Fate::reap},
    {.path = "a/../b", .named = Fate::named, .fate = Fate::rejected, .reason = "component"},
    {.path = "", .status = absent, .fate = Fate::rejected, .reason = "empty"},
    {.path = "/a", .fate = Fate::rejected, .reason = "absolute"},
    {.path = "streams/v1/a", .named = Fate::kept, .fate = Fate::rejected, .reason = "metadata"},
    {.path = ".data/a", .fate = Fate::rejected, .reason = "metadata"},
    {.path = "streams", .status = absent, .fate = Fate::rejected, .reason = "metadata"},
    {.path = ".data", .fate = Fate::rejected, .reason = "metadata"},
    {.path = "streamsfile", .fate = Fate::reap},
    {.status = absent, .named = Fate::named, .fate = Fate::named, .reason = "who"},
    {.status = grown, .named = Fate::kept, .fate = Fate::kept, .reason = "who"},
    {.status = absent, .since = {}, .fate = Fate::gone},
    {.status = directory, .fate = Fate::rejected, .reason = "not a regular file"},
    {.status = link_to_it, .any = true, .fate = Fate::rejected, .reason = "not a regular file"},
    {.status = mounted, .mark = sstream::FileMark{}, .fate = Fate::rejected, .reason = "another"},
    {.status = grown, .since = {}, .any = true, .fate = Fate::changed, .reason = "changed since"},
    {.status = grown, .mark = {}, .fate = Fate::reap},
    {.since = {}, .any = true, .fate = Fate::rejected, .reason = "'some day' cannot be read"},
    {.since = now - hour, .fate = Fate::young},
    {.since = now - hour, .any = true, .fate = Fate::reap},
    {.since = now + hour, .fate = Fate::young},
    {.since = 1'262'304'000, .fate = Fate::reap},  // 2010
    {.since = 1'262'303'999, .fate = Fate::reap},  // says nothing: the file is two hours old
    {.status = young, .mark = {}, .since = 0, .fate = Fate::young},
    {.status = young, .mark = {}, .since = 0, .any = true, .fate = Fate::reap},
    {.status = young, .mark = {}, .since = 1'262'304'000, .fate = Fate::reap},
};

TEST(Judgement, FollowsTheTable) {
  for (const auto& one : cases) {
    SCOPED_TRACE(&one - cases.data());
    sstream::Orphan orphan;
    orphan.path = one.path;
    orphan.mark = one.mark;
    orphan.stamp = "some day";
    if (one.since) {
      orphan.since = at(*one.since);
    }
    bool looked = false;
    const auto judgement =
        meph2::judge(orphan, {one.named, one.named == Fate::undecided ? "" : "who", {}},
                     {.now = at(now), .older = seconds(hour), .any = one.any}, device, [&] {
                       looked = true;
                       return one.status;
                     });
    EXPECT_EQ(judgement.fate, one.fate);
    EXPECT_THAT(judgement.reason, testing::HasSubstr(one.reason));
    EXPECT_EQ(judgement.reason.empty(), one.reason.empty());
    const bool of_the_file = one.fate == Fate::reap || one.fate == Fate::young ||
                             one.fate == Fate::changed || one.fate == Fate::gone;
    EXPECT_TRUE(looked || !of_the_file);
    const bool has_mark = of_the_file && one.status.has_value();
    EXPECT_EQ(judgement.mark,
              has_mark ? std::optional(sstream::FileMark::of(*one.status)) : std::nullopt);
  }
}

/// What an entry is refused for, or is named by, needs no look at a path that may lead anywhere.
TEST(Judgement, DoesNotLookAtWhatIsRefusedOrNamed) {
  const std::function<std::optional<struct stat>()> forbidden = [] {
    ADD_FAILURE() << "looked";
    return std::optional<struct stat>();
  };
  sstream::Orphan orphan;
  for (const auto* path : {"../a", "/etc/passwd", ".data/.sstream/state.json"}) {
    orphan.path = path;
    EXPECT_EQ(meph2::judge(orphan, {}, {}, device, forbidden).fate, Fate::rejected);
  }
  orphan.path = "a/file";
  EXPECT_EQ(meph2::judge(orphan, {Fate::named, "who", {}}, {}, device, forbidden).fate,
            Fate::named);
}

}  // namespace
