#include "meph2/verbs/clean_md.h"
#include "meph2/verbs/du.h"
#include "meph2/verbs/hold.h"
#include "meph2/verbs/remove_version.h"
#include "tests/io/meph2/janitor/streams.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using support::witness;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

/// Four versions; two of them share a file.
class Retention : public support::JanitorWorld {
 protected:
  void SetUp() override {
    publish("repo", {{"20251201", {"a/1", "shared"}},
                     {"20251215", {"a/2"}},
                     {"20251220", {"a/3"}},
                     {"20251231", {"a/4", "shared"}}});
    clean.target = world.path("repo");
    clean.publish = unsigned_options();
    clean.publish.action = "clean-md";
    clean.publish.create = false;
    held.data_d = world.path("repo");
    held.version = base::cat(support::janitor_product, "@20251201");
  }

  /// The versions that go.
  std::vector<std::string> run() {
    result = meph2::clean_md(clean, world.context);
    std::vector<std::string> versions;
    for (const auto& at : result.removed) {
      versions.push_back(at.version);
    }
    return versions;
  }

  std::vector<std::string> versions(const std::string& content = support::janitor_content) const {
    const auto tree = world.read_json(base::cat("repo/streams/v1/", content, ".json"));
    std::vector<std::string> names;
    for (const auto& [name, node] :
         tree.at("products").at(support::janitor_product).at("versions").items()) {
      names.push_back(name);
    }
    return names;
  }

  meph2::CleanMdOptions clean;
  meph2::CleanMdResult result;
  meph2::HoldOptions held;
};

TEST_F(Retention, TheNewestStay) {
  clean.max = 2;
  EXPECT_THAT(run(), ElementsAre("20251201", "20251215"));
  EXPECT_EQ(result.freed, 6U) << "the shared file is still named";
  EXPECT_THAT(versions(), ElementsAre("20251220", "20251231"));
  EXPECT_TRUE(exists("repo/a/1")) << "files are the janitor's";
  const auto before = witness(world.path("repo/streams"));
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_FALSE(result.published.changed);
  EXPECT_EQ(witness(world.path("repo/streams")), before) << "not one byte";
}

TEST_F(Retention, NeverEmptiesAProductUnlessTold) {
  clean.max = 0;
  EXPECT_THAT(run(), SizeIs(3));
  EXPECT_THAT(versions(), ElementsAre("20251231"));
  clean.min_keep = 0;
  EXPECT_THAT(run(), ElementsAre("20251231"));
  EXPECT_THAT(versions(), IsEmpty()) << "the product stays, without a version";
  clean.allow_drop = {support::janitor_product};
  run();
  EXPECT_THAT(result.dropped, ElementsAre(support::janitor_product));
}

TEST_F(Retention, ByAge) {
  clean.older_than = 24h * 15;  // the clock stands at 2026-01-01
  EXPECT_THAT(run(), ElementsAre("20251201", "20251215"));
  clean.older_than = 0s;
  clean.max = 2;
  EXPECT_THAT(run(), IsEmpty()) << "every criterion has to say so";
}

TEST_F(Retention, ByBytes) {
  clean.free = 4;
  EXPECT_THAT(run(), ElementsAre("20251201", "20251215")) << "the oldest first, until it is enough";
  EXPECT_EQ(result.freed, 6U);
  clean.free = 1000;
  std::string what;
  what = support::refused(Errc::refused, [&] { run(); });
  EXPECT_THAT(what, HasSubstr("3 bytes"));
  EXPECT_THAT(versions(), SizeIs(2));
}

TEST_F(Retention, FiltersSayWhichVersionsMayGo) {
  clean.max = 1;
  clean.filters = {"path=shared"};
  EXPECT_THAT(run(), ElementsAre("20251201"));
  clean.filters = {"version_name~^202512", "ftype=squashfs"};
  EXPECT_THAT(run(), ElementsAre("20251215", "20251220"));
}

TEST_F(Retention, EachContentIsJudgedByItself) {
  publish("repo", {{"20251201", {"b/1"}}}, {}, "com.example:other:download");
  clean.max = 1;
  EXPECT_THAT(run(), SizeIs(3));
  EXPECT_THAT(versions("com.example:other:download"), ElementsAre("20251201"));
}

TEST_F(Retention, OneProductsFileAlone) {
  publish("repo", {{"1", {"b/1"}}, {"2", {"b/2", "shared"}}}, {}, "com.example:other:download");
  clean.max = 1;
  clean.target = world.path("repo/streams/v1/com.example:other:download.json");
  EXPECT_THAT(run(), ElementsAre("1"));
  EXPECT_THAT(versions(), SizeIs(4));
  clean.target = world.path("repo/streams/v1/absent.json");
  support::refused(Errc::not_found, [&] { run(); });
}

TEST_F(Retention, WithoutACriterionIsAUsageError) {
  support::refused(Errc::usage, [&] { run(); });
}

TEST_F(Retention, ADryRunChangesNothingAndTellsTheTruth) {
  clean.max = 2;
  clean.publish.dry_run = true;
  const auto before = witness(world.path("repo"));
  const auto planned = run();
  EXPECT_EQ(witness(world.path("repo")), before);
  clean.publish.dry_run = false;
  EXPECT_EQ(run(), planned);
}

TEST_F(Retention, AKeyringMustFit) {
  const support::GpgHome home;
  const auto key = home.make_key();
  clean.keyring = world.write("keyring.gpg", home.export_keys({key}));
  clean.max = 1;
  EXPECT_EQ(support::refused([&] { run(); }).code(), Errc::untrusted) << "it is not signed at all";
  EXPECT_THAT(versions(), SizeIs(4));
}

TEST_F(Retention, HeldVersionsStay) {
  held.reason = "customer A";
  held.until = "30d";
  const auto hold = meph2::hold(held, world.context);
  EXPECT_THAT(hold.paths, ElementsAre("a/1", "shared"));
  ASSERT_THAT(meph2::list_holds(held.data_d), SizeIs(1));
  EXPECT_EQ(meph2::list_holds(held.data_d)[0].reason, "customer A");
  clean.max = 1;
  EXPECT_THAT(run(), ElementsAre("20251215", "20251220"));
  EXPECT_THAT(result.held, SizeIs(1));
  meph2::RemoveVersionOptions remove{world.path("repo"), "20251201", {}, false, clean.publish};
  std::string what;
  what = support::refused(Errc::refused, [&] { meph2::remove_version(remove, world.context); });
  EXPECT_THAT(what, HasSubstr("customer A"));
  world.clock.advance(24h * 30);
  EXPECT_THAT(run(), ElementsAre("20251201")) << "the hold has ended";
}

TEST_F(Retention, RemoveVersionCanBeForced) {
  meph2::hold(held, world.context);
  meph2::RemoveVersionOptions remove{world.path("repo"), "20251201", {}, true, clean.publish};
  EXPECT_THAT(meph2::remove_version(remove, world.context).products, SizeIs(1));
}

TEST_F(Retention, HoldsAreTakenBack) {
  support::refused(Errc::not_found, [&] { meph2::unhold(held, world.context); });
  meph2::hold(held, world.context);
  meph2::unhold(held, world.context);
  EXPECT_THAT(meph2::list_holds(held.data_d), IsEmpty());
}

TEST_F(Retention, HoldsThatCannotBeAreRefused) {
  held.version = base::cat(support::janitor_product, "@19990101");
  support::refused(Errc::not_found, [&] { meph2::hold(held, world.context); });
  for (const auto* wrong : {"", "no-version", "@1", "product@"}) {
    held.version = wrong;
    EXPECT_EQ(support::refused([&] { meph2::hold(held, world.context); }).code(), Errc::usage)
        << wrong;
  }
  held.version = base::cat(support::janitor_product, "@20251201");
  for (const auto* wrong : {"tomorrow", "2025-12-31", "0s"}) {
    held.until = wrong;
    EXPECT_EQ(support::refused([&] { meph2::hold(held, world.context); }).code(), Errc::usage)
        << wrong;
  }
  held.until = "2026-06-30";
  EXPECT_EQ(base::format_stamp(*meph2::hold(held, world.context).until),
            "Tue, 30 Jun 2026 00:00:00 +0000");
  base::replace_file(world.path("repo/.data/.sstream/holds.json"), "{");
  EXPECT_EQ(support::refused([&] { meph2::list_holds(held.data_d); }).code(), Errc::failed)
      << "a damaged list is not an empty one";
  clean.max = 1;
  support::refused(Errc::failed, [&] { run(); });
}

TEST_F(Retention, DuCountsAFileOnce) {
  const auto use = meph2::du(world.path("repo"), meph2::DuBy::version, world.context);
  EXPECT_EQ(use.files, 5U);
  EXPECT_EQ(use.bytes, 4U * 3U + 6U);
  ASSERT_THAT(use.rows, SizeIs(4));
  EXPECT_EQ(use.rows[0].name, "20251201");
  EXPECT_EQ(use.rows[0].bytes, 3U);
  EXPECT_EQ(use.rows[0].shared_bytes, 6U);
  EXPECT_EQ(use.rows[2].shared_files, 0U);
  const auto by_product = meph2::du(world.path("repo"), meph2::DuBy::product, world.context);
  ASSERT_THAT(by_product.rows, SizeIs(1));
  EXPECT_EQ(by_product.rows[0].bytes, use.bytes) << "shared within a group is not shared";
}

TEST_F(Retention, DuTellsWhoStillNamesAFile) {
  clean.max = 2;
  run();
  world.write("repo/old", "orphan");
  world.write("repo/.data/.sstream/trash/20260101T000000Z/gone", "gone");
  const auto use = meph2::du(world.path("repo"), meph2::DuBy::orphan, world.context);
  std::map<std::string, std::uint64_t> bytes;
  for (const auto& row : use.rows) {
    bytes[row.name] = row.bytes;
  }
  EXPECT_EQ(bytes, (std::map<std::string, std::uint64_t>{
                       {"live", 12}, {"history", 6}, {"orphan", 6}, {"trash", 4}}));
}

}  // namespace
