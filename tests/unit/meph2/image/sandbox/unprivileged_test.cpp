#include "meph2/image/sandbox/unprivileged.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using meph2::image::find_subordinate_ids;
using meph2::image::missing_for_unprivileged;
using meph2::image::UnprivilegedFacts;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

UnprivilegedFacts good_host() {
  UnprivilegedFacts facts;
  facts.user = "builder";
  facts.uid = 1000;
  facts.subuid = "other:100000:65536\nbuilder:165536:65536\n";
  facts.subgid = facts.subuid;
  facts.newuidmap = true;
  facts.newgidmap = true;
  facts.kernel = "6.1.0-28-amd64";
  facts.most_namespaces = 30000;
  facts.fuse = true;
  facts.unsquashfs = true;
  return facts;
}

TEST(SubordinateIds, AreThoseOfTheNameOrOfTheNumber) {
  EXPECT_EQ(find_subordinate_ids("a:1000000:65536\n", "a", 5)->first, 1000000U);
  EXPECT_EQ(find_subordinate_ids("x:1:65536\n5:200000:65535\n", "a", 5)->first, 200000U);
  EXPECT_EQ(find_subordinate_ids("a:100000:10\na:300000:65536", "a", 5)->first, 300000U);
}

TEST(SubordinateIds, AreNoneWhereTheRangeIsShortOrNoRange) {
  for (const auto* text : {"", "a", "a:100000:65534", "a:x:65536", "a:100000:", "a:-1:65536",
                           "a:4294967295:65536", "ab:100000:65536", "a:100000:65536:1"}) {
    EXPECT_FALSE(find_subordinate_ids(text, "a", 5)) << text;
  }
}

TEST(Unprivileged, NothingIsMissingWhereAllIsThere) {
  EXPECT_THAT(missing_for_unprivileged(good_host()), IsEmpty());
}

struct MissingRow {
  const char* name;
  std::function<void(UnprivilegedFacts&)> spoil;
  const char* message;
};

class Missing : public testing::TestWithParam<MissingRow> {};

TEST_P(Missing, IsNamedWithWhatMendsIt) {
  auto facts = good_host();
  GetParam().spoil(facts);
  EXPECT_THAT(missing_for_unprivileged(facts), ElementsAre(HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Unprivileged, Missing,
    testing::Values(
        MissingRow{"Newuidmap", [](auto& f) { f.newuidmap = false; },
                   "newuidmap (install the package"},
        MissingRow{"Newgidmap", [](auto& f) { f.newgidmap = false; },
                   "newgidmap (install the package"},
        MissingRow{"Subuid", [](auto& f) { f.subuid.clear(); },
                   "/etc/subuid gives builder no range"},
        MissingRow{"Subgid", [](auto& f) { f.subgid = "builder:1:2"; }, "usermod --add-subgids"},
        MissingRow{"Namespaces", [](auto& f) { f.most_namespaces = 0; },
                   "user.max_user_namespaces"},
        MissingRow{"DebianSwitch", [](auto& f) { f.debian_switch = 0; },
                   "kernel.unprivileged_userns_clone"},
        MissingRow{"AppArmor", [](auto& f) { f.apparmor_switch = 1; },
                   "kernel.apparmor_restrict_unprivileged_userns"},
        MissingRow{"Kernel", [](auto& f) { f.kernel = "5.10.0-9-amd64"; }, "5.11 is needed"},
        MissingRow{"Reader",
                   [](auto& f) {
                     f.fuse = false;
                     f.unsquashfs = false;
                   },
                   "package squashfuse"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Unprivileged, OneReaderOfSquashfsSuffices) {
  auto facts = good_host();
  facts.fuse = false;
  EXPECT_THAT(missing_for_unprivileged(facts), IsEmpty());
  facts.fuse = true;
  facts.unsquashfs = false;
  EXPECT_THAT(missing_for_unprivileged(facts), IsEmpty());
}

TEST(Unprivileged, AProfileOfAppArmorMayAllowIt) {
  auto facts = good_host();
  facts.apparmor_switch = 1;
  facts.apparmor_profile = true;
  EXPECT_THAT(missing_for_unprivileged(facts), IsEmpty());
}

}  // namespace
