#include "tests/io/sstream/mirror/mirror_fixture.h"

namespace {

using base::Errc;
using testing::HasSubstr;

TEST_F(MirrorTest, ListsWhatItHasAndHasWhatItLists) {
  EXPECT_TRUE(mirror().published.changed);
  EXPECT_EQ(judge("m"), 4U);
  auto chosen = options("one");
  chosen.max = 1;
  EXPECT_TRUE(mirror(chosen).published.changed);
  EXPECT_EQ(judge("one"), 2U);
}

/// One conditional request for each document, and nothing is written.
TEST_F(MirrorTest, WithNothingNewAsksOncePerDocument) {
  mirror();
  const auto before = witness("m");
  const auto asked = server.seen().size();
  world.clock.advance(std::chrono::hours(24));
  const auto result = mirror();
  EXPECT_TRUE(result.unchanged);
  EXPECT_FALSE(result.published.changed);
  EXPECT_EQ(witness("m"), before);
  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), asked + 2);
  for (auto at = asked; at < seen.size(); ++at) {
    EXPECT_NE(seen[at].header("if-none-match"), "") << seen[at].path;
  }
}

TEST_F(MirrorTest, IdenticalContentIsFetchedOnce) {
  mirror();
  EXPECT_EQ(server.count("/noble/amd64/20260101/squashfs") +
                server.count("/noble/amd64/20260102/squashfs"),
            1U);
}

TEST_F(MirrorTest, AWiderChoiceBringsWhatIsMissingANarrowerOneLetsGoLater) {
  auto chosen = options();
  chosen.filters = {"ftype=squashfs"};
  mirror(chosen);
  EXPECT_EQ(judge("m"), 2U);
  mirror();
  EXPECT_EQ(judge("m"), 4U);
  EXPECT_EQ(server.count("/noble/amd64/20260102/squashfs"), 0U);  // a copy of the other
  const auto narrow = mirror(chosen);
  EXPECT_EQ(judge("m"), 2U);
  EXPECT_EQ(narrow.unlisted, 2U);
  EXPECT_TRUE(base::exists_at(AT_FDCWD, world.path("m/noble/amd64/20260101/ga-24.04/boot-kernel")));
}

/// The same path with other content: what the established tool never notices.
TEST_F(MirrorTest, ARepublishedVersionIsRefreshed) {
  mirror();
  make_stream("src", {{.version = "20260101", .kernel = "other"}});
  redate("Tue, 02 Dec 2025 00:00:00 +0000");
  EXPECT_TRUE(mirror().published.changed);
  EXPECT_EQ(base::read_file(world.path("m/noble/amd64/20260101/ga-24.04/boot-kernel")), "other");
  EXPECT_EQ(judge("m"), 4U);
}

TEST_F(MirrorTest, DamageIsFoundAndMendedWhenItIsLookedFor) {
  mirror();
  const auto damaged = world.path("m/noble/amd64/20260101/squashfs");
  base::replace_file(damaged, "SQUASHFS");
  EXPECT_TRUE(mirror().unchanged);
  auto chosen = options();
  chosen.verify = true;
  const auto result = mirror(chosen);
  EXPECT_TRUE(result.published.changed);
  EXPECT_EQ(result.published.generation, "");  // the metadata was right
  EXPECT_EQ(base::read_file(damaged), "squashfs");
}

TEST_F(MirrorTest, VersionsThatLeftTheSourceMayStay) {
  mirror();
  auto tree = this->tree("src", verbs::daily);
  tree["products"][product_of("ga-24.04")]["versions"].erase("20260101");
  tree["updated"] = "Tue, 02 Dec 2025 00:00:00 +0000";
  write_stream("src", tree);
  auto chosen = options();
  chosen.keep = true;
  chosen.max = 2;
  mirror(chosen);
  EXPECT_EQ(judge("m"), 4U);
  mirror();
  EXPECT_EQ(judge("m"), 2U);
}

/// A run that was cut off in every file goes on where it was; what was whole is not asked for.
TEST_F(MirrorTest, WhatWasFetchedIsNotFetchedAgain) {
  const std::string content(200'000, 'x');
  make_stream("src", {{.version = "20260103", .kernel = content, .squashfs = content + "y"}});
  redate("Tue, 02 Dec 2025 00:00:00 +0000");
  const std::string broken = "/noble/amd64/20260103/squashfs";
  const auto cut = [&](const support::HttpSeen& seen, support::HttpConnection& connection) {
    auto answer = support::good_answer(seen, content + "y", "\"1\"");
    if (seen.number == 1) {
      answer.cut_at = 100'000;
    } else {
      answer = {.status = 403};
    }
    send_answer(answer, seen, connection);
  };
  server.on(broken, cut);
  EXPECT_EQ(support::refused([&] { mirror(); }).code(), Errc::failed);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("m/streams/v1")));
  const auto asked = server.seen().size();
  server.offer(broken, content + "y", "\"1\"");
  EXPECT_TRUE(mirror().published.changed);
  EXPECT_EQ(judge("m"), 6U);
  const auto seen = server.seen();
  for (auto at = asked; at < seen.size(); ++at) {
    if (seen[at].path == broken) {
      EXPECT_EQ(seen[at].header("range"), "bytes=100000-");
    } else {
      EXPECT_THAT(seen[at].path, HasSubstr("streams/v1/")) << "fetched again";
    }
  }
}

TEST_F(MirrorTest, ExactIsTheSourcesOwnBytesOrNothing) {
  auto chosen = options();
  chosen.exact = true;
  mirror(chosen);
  for (const char* document : {products, index}) {
    EXPECT_EQ(base::read_file(world.path("m") + document),
              base::read_file(world.path("src") + document));
  }
  EXPECT_EQ(judge("m"), 4U);
  EXPECT_TRUE(mirror(chosen).unchanged);
  const auto before = witness("m");
  chosen.max = 1;
  EXPECT_EQ(support::refused([&] { mirror(chosen); }).code(), Errc::refused);
  chosen.max.reset();
  chosen.filters = {"ftype=squashfs"};
  EXPECT_EQ(support::refused([&] { mirror(chosen); }).code(), Errc::refused);
  EXPECT_EQ(witness("m"), before);
}

/// Python 2 wrote blanks at the ends of lines, which a clear signature does not cover.
TEST_F(MirrorTest, ExactTakesWhatAClearSignatureDoesNotCover) {
  const auto text = base::read_file(world.path("src") + products);
  const auto signed_as = [&](const std::string& body) {
    auto name = base::cat("src", products);
    name.replace(name.size() - 5, 5, ".sjson");
    world.write(name,
                base::cat("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n", body,
                          "\n-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n"));
  };
  world.write(base::cat("src", products), base::replace_all(text, ",\n", ", \n"));
  auto chosen = options();
  chosen.exact = true;
  signed_as(base::replace_all(text, "noble", "jammy"));
  EXPECT_EQ(support::refused([&] { mirror(chosen); }).code(), Errc::untrusted);
  signed_as(text);
  mirror(chosen);
  EXPECT_EQ(base::read_file(world.path("m") + products),
            base::read_file(world.path("src") + products));
}

/// Another mirror of the same source steps in, for metadata and files alike.
TEST_F(MirrorTest, OtherPlacesAreTriedInTurn) {
  auto chosen = options();
  chosen.source = server.url("/nothing/here/");
  chosen.mirrors = {server.url("")};
  EXPECT_TRUE(mirror(chosen).published.changed);
  EXPECT_EQ(judge("m"), 4U);
}

TEST_F(MirrorTest, SecretsOfAUrlAreWrittenNowhere) {
  auto chosen = options();
  chosen.source = base::replace_all(server.url("/"), "//", "//user:secret@");
  mirror(chosen);
  EXPECT_NE(server.seen().back().header("authorization"), "");
  for (const auto& [name, file] : witness("m")) {
    EXPECT_EQ(file.second.find("secret"), std::string::npos) << name;
  }
  for (const auto& line : world.lines) {
    EXPECT_EQ(line.find("secret"), std::string::npos) << line;
  }
  server.on(index, support::HttpAnswer{.status = 500});
  server.on("/streams/v1/index.sjson", support::HttpAnswer{.status = 500});
  EXPECT_THAT(support::refused([&] { mirror(chosen); }).what(), testing::Not(HasSubstr("secret")));
}

TEST_F(MirrorTest, ADryRunWritesNothingAndTellsTheTruth) {
  auto chosen = options();
  chosen.publish.dry_run = true;
  const auto planned = mirror(chosen);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("m")));
  const auto done = mirror();
  EXPECT_EQ(planned.published.file_count, done.published.file_count);
  EXPECT_EQ(planned.published.bytes, done.published.bytes);
  EXPECT_TRUE(planned.published.changed);
}

TEST_F(MirrorTest, MetadataAloneIsBroughtAndItsFilesLater) {
  auto chosen = options();
  chosen.files = false;
  mirror(chosen);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("m/noble")));
  mirror();
  EXPECT_EQ(judge("m"), 4U);
}

TEST_F(MirrorTest, ASourceThatTakesAwayTooMuchIsRefused) {
  make_stream("src", {{.version = "20260103"}, {.subarch = "hwe-24.04"}});
  redate("Tue, 02 Dec 2025 00:00:00 +0000");
  mirror();
  const auto before = witness("m");
  auto tree = this->tree("src", verbs::daily);
  tree["products"].erase(product_of("hwe-24.04"));
  tree["updated"] = "Wed, 03 Dec 2025 00:00:00 +0000";
  write_stream("src", tree);
  const auto failure = support::refused([&] { mirror(); });
  EXPECT_EQ(failure.code(), Errc::refused);
  EXPECT_THAT(failure.what(), HasSubstr("--allow-drop"));
  EXPECT_EQ(witness("m"), before);
  auto chosen = options();
  chosen.publish.rails.allow_drop = {product_of("hwe-24.04")};
  EXPECT_TRUE(mirror(chosen).published.changed);
}

}  // namespace
