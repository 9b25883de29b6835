#include "meph2/verbs/copy_version.h"

#include <unistd.h>

#include "tests/io/meph2/verbs/streams.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using verbs::daily;

class CopyVersion : public verbs::Verb {
 protected:
  CopyVersion() {
    make_stream("s", {{}, {.subarch = "hwe-24.04"}, {.version = "20260102", .kernel = "newer"}});
  }

  meph2::CopyVersionOptions options(const std::string& from = "20260101",
                                    const std::string& to = "20260101.1") const {
    meph2::CopyVersionOptions options;
    options.target = world.path("s");
    options.from = from;
    options.to = to;
    options.publish = unsigned_options("copy-version");
    options.publish.create = false;
    return options;
  }

  meph2::CopyVersionResult copy(const meph2::CopyVersionOptions& options) {
    return meph2::copy_version(options, world.context);
  }

  base::Error refusal(const meph2::CopyVersionOptions& options) {
    const auto published = base::read_file(world.path("s/streams/v1/index.json"));
    auto failure = support::refused([&] { copy(options); });
    EXPECT_EQ(base::read_file(world.path("s/streams/v1/index.json")), published);
    EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("s/noble/amd64/" + options.to)));
    return failure;
  }

  io::Json version(const std::string& name, const std::string& subarch = "ga-24.04") const {
    return tree("s", daily).at("products").at(product_of(subarch)).at("versions").at(name);
  }

  /// Changes one item's node.
  void edit(const std::string& version, const std::string& item,
            const std::function<void(io::Json& node)>& change) const {
    auto tree = this->tree("s", daily);
    change(tree["products"][product_of("ga-24.04")]["versions"][version]["items"][item]);
    write_stream("s", tree);
  }
};

TEST(PathOfCopy, ReplacesWholeComponentsOnly) {
  using meph2::path_of_copy;
  EXPECT_EQ(path_of_copy("noble/amd64/20260101/squashfs", "20260101", "x"),
            "noble/amd64/x/squashfs");
  EXPECT_EQ(path_of_copy("20260101/a/20260101", "20260101", "x"), "x/a/x");
  EXPECT_EQ(path_of_copy("img-20260101/20260101/20260101.1", "20260101", "x"),
            "img-20260101/x/20260101.1");
  EXPECT_EQ(path_of_copy("img-20260101/20260101.1/f20260101", "20260101", "x"), std::nullopt);
  EXPECT_EQ(path_of_copy("a/1/b", "1.1", "x"), std::nullopt);
}

TEST_F(CopyVersion, CopiesMetadataAndFilesOfAllProducts) {
  const auto result = copy(options());
  EXPECT_THAT(result.products, ElementsAre(product_of("ga-24.04"), product_of("hwe-24.04")));
  EXPECT_EQ(result.published.file_count, 3U);  // the squashfs that two products share is one
  const auto items = version("20260101.1").at("items");
  EXPECT_EQ(items.at("squashfs").at("path"), "noble/amd64/20260101.1/squashfs");
  EXPECT_EQ(items.at("boot-kernel").at("sha256"), sha256("kernel"));
  EXPECT_EQ(base::read_file(world.path("s/noble/amd64/20260101.1/ga-24.04/boot-kernel")), "kernel");
  EXPECT_EQ(tree("s", daily).at("updated"), "Thu, 01 Jan 2026 00:00:00 +0000");
  EXPECT_EQ(version("20260101").at("items").at("squashfs").at("path"),
            "noble/amd64/20260101/squashfs");
}

TEST_F(CopyVersion, FiltersSeeInheritedTags) {
  auto one = options();
  one.filters = {"subarch=hwe-24.04", "product_name~hwe"};
  EXPECT_THAT(copy(one).products, ElementsAre(product_of("hwe-24.04")));
  one.filters = {"subarch=nosuch"};
  one.to = "x";
  EXPECT_EQ(refusal(one).code(), Errc::not_found);
}

TEST_F(CopyVersion, AgainChangesNothing) {
  copy(options());
  const auto before = witness("s");
  world.clock.advance(std::chrono::hours(24));
  const auto result = copy(options());
  EXPECT_FALSE(result.published.changed);
  EXPECT_TRUE(result.products.empty());
  EXPECT_EQ(witness("s"), before);
}

TEST_F(CopyVersion, ACopyWithOtherContentIsAConflictThatNamesBothDigests) {
  auto onto = options("20260101", "20260102");
  const auto before = witness("s");
  const auto failure = support::refused([&] { copy(onto); });
  EXPECT_EQ(failure.code(), Errc::conflict);
  EXPECT_THAT(failure.what(), HasSubstr(sha256("kernel")));
  EXPECT_THAT(failure.what(), HasSubstr(sha256("newer")));
  const auto after = witness("s");
  EXPECT_EQ(after.at("streams/v1/index.json"), before.at("streams/v1/index.json"));
  EXPECT_EQ(after.at("noble/amd64/20260102/ga-24.04/boot-kernel").second, "newer");
}

TEST_F(CopyVersion, ACopyThatLacksAnItemOrHasMoreIsAConflict) {
  copy(options());
  auto tree = this->tree("s", daily);
  auto& versions = tree["products"][product_of("ga-24.04")]["versions"];
  const auto squashfs = versions["20260101.1"]["items"]["squashfs"];
  versions["20260101.1"]["items"].erase("squashfs");
  write_stream("s", tree);
  auto failure = support::refused([&] { copy(options()); });
  EXPECT_EQ(failure.code(), Errc::conflict);
  EXPECT_THAT(failure.what(), HasSubstr("squashfs"));
  versions["20260101.1"]["items"]["squashfs"] = squashfs;
  versions["20260101.1"]["items"]["manifest"] = squashfs;
  write_stream("s", tree);
  failure = support::refused([&] { copy(options()); });
  EXPECT_EQ(failure.code(), Errc::conflict);
  EXPECT_THAT(failure.what(), HasSubstr("manifest"));
}

TEST_F(CopyVersion, APathWithoutTheVersionIsRefused) {
  edit("20260101", "squashfs", [&](io::Json& node) {
    node["path"] = "noble/amd64/img-20260101";
    world.write("s/noble/amd64/img-20260101", "squashfs");
  });
  const auto failure = refusal(options());
  EXPECT_EQ(failure.code(), Errc::failed);
  EXPECT_THAT(failure.what(), HasSubstr("noble/amd64/img-20260101"));
  EXPECT_THAT(failure.what(), HasSubstr("share the file"));
}

TEST_F(CopyVersion, AMissingOrDamagedFileChangesNothing) {
  const auto file = world.path("s/noble/amd64/20260101/squashfs");
  base::unlink_at(AT_FDCWD, file);
  EXPECT_EQ(refusal(options()).code(), Errc::not_found);
  world.write("s/noble/amd64/20260101/squashfs", "squashfX");
  EXPECT_EQ(refusal(options()).code(), Errc::untrusted);
  auto dry = options();
  dry.publish.dry_run = true;
  EXPECT_EQ(refusal(dry).code(), Errc::untrusted);
}

TEST_F(CopyVersion, AStaleFileInItsPlaceIsAConflict) {
  world.write("s/noble/amd64/20260101.1/squashfs", "stale");
  const auto failure = support::refused([&] { copy(options()); });
  EXPECT_EQ(failure.code(), Errc::conflict);
  EXPECT_THAT(failure.what(), HasSubstr("noble/amd64/20260101.1/squashfs"));
  EXPECT_FALSE(
      base::exists_at(AT_FDCWD, world.path("s/noble/amd64/20260101.1/ga-24.04/boot-kernel")));
}

TEST_F(CopyVersion, APathThatHadMovedUpIsThatOfTheCopy) {
  auto tree = this->tree("s", daily);
  auto& versions = tree["products"][product_of("ga-24.04")]["versions"];
  versions.erase("20260102");
  versions["20260101"]["items"].erase("boot-kernel");
  auto& squashfs = versions["20260101"]["items"]["squashfs"];
  versions["20260101"]["path"] = squashfs["path"];
  squashfs.erase("path");
  write_stream("s", tree);
  copy(options());
  EXPECT_EQ(version("20260101.1").at("items").at("squashfs").at("path"),
            "noble/amd64/20260101.1/squashfs");
  EXPECT_FALSE(version("20260101.1").contains("path"));
}

TEST_F(CopyVersion, TypesAndUnknownKeysSurvive) {
  edit("20260101", "squashfs", [](io::Json& node) {
    node["depends"] = {{"on", {1, 2.5, nullptr, true}}};
  });
  copy(options());
  EXPECT_EQ(version("20260101.1").at("items").at("squashfs").at("depends"),
            io::Json({{"on", {1, 2.5, nullptr, true}}}));
  EXPECT_EQ(tree("s", daily).at("products").at(product_of("ga-24.04")).at("notes"),
            io::Json({"typed", 1, true}));
}

TEST_F(CopyVersion, ADryRunWritesNothingAndSaysWhatTheRunThenDoes) {
  auto dry = options();
  dry.publish.dry_run = true;
  const auto before = witness("s");
  const auto planned = copy(dry);
  EXPECT_EQ(witness("s"), before);
  const auto done = copy(options());
  expect_same_report(planned, done);
  EXPECT_EQ(planned.products, done.products);
}

TEST_F(CopyVersion, NamesThatCannotBe) {
  EXPECT_EQ(support::refused([&] { copy(options("20260101", "20260101")); }).code(), Errc::usage);
  EXPECT_EQ(support::refused([&] { copy(options("20260101", "../x")); }).code(), Errc::usage);
  EXPECT_EQ(support::refused([&] { copy(options("20260101", "")); }).code(), Errc::usage);
  EXPECT_EQ(refusal(options("20990101", "x")).code(), Errc::not_found);
  auto nowhere = options();
  nowhere.target = world.path("nowhere");
  EXPECT_EQ(support::refused([&] { copy(nowhere); }).code(), Errc::not_found);
}

TEST_F(CopyVersion, WritesThroughALinkToAPool) {
  base::rename_at(AT_FDCWD, world.path("s/noble"), AT_FDCWD, world.path("pool"));
  ASSERT_EQ(::symlink("../pool", world.path("s/noble").c_str()), 0);
  copy(options());
  EXPECT_EQ(base::read_file(world.path("pool/amd64/20260101.1/squashfs")), "squashfs");
}

}  // namespace
