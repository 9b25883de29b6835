#include "sstream/generate/generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/hash/digest.h"
#include "sstream/query/query.h"
#include "tests/support/publication_world.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using io::Json;
using sstream::ItemChange;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* content = "com.example:images";

class Generate : public testing::Test {
 protected:
  sstream::GenerateOptions options() const {
    sstream::GenerateOptions options;
    options.lists = {world.path("list")};
    options.content_id = content;
    options.target = world.path("out");
    options.publish.action = "generate";
    options.publish.create = true;
    options.publish.sign = false;
    options.publish.rails.enforced = true;
    options.publish.lock_timeout = std::chrono::seconds(0);
    return options;
  }

  /// A line of a tab-separated list, for a file that is written too.
  std::string image(const std::string& version, const std::string& item, const std::string& text,
                    const std::string& more = {}) const {
    const auto path = base::cat("p/", version, "/", item);
    world.write("out/" + path, text);
    return base::cat(content, "\tp\t", version, "\t", item, "\tpath=", path, "\tftype=", item, more,
                     "\n");
  }

  sstream::GenerateResult generate(const std::string& list) { return generate(list, options()); }

  sstream::GenerateResult generate(const std::string& list,
                                   const sstream::GenerateOptions& options) {
    world.write("list", list);
    return sstream::generate(options, world.context);
  }

  Errc refusal(const std::string& list, const std::string& reason) {
    return refusal(list, reason, options());
  }

  Errc refusal(const std::string& list, const std::string& reason,
               const sstream::GenerateOptions& options) {
    const auto before = metadata();
    const auto error = support::refused([&] { generate(list, options); });
    EXPECT_THAT(error.what(), HasSubstr(reason));
    EXPECT_THAT(error.what(), HasSubstr("stream unchanged"));
    EXPECT_EQ(metadata(), before);
    return error.code();
  }

  /// The live index, or null.
  Json metadata() const {
    return base::exists_at(AT_FDCWD, world.path("out/streams/v1/index.json"))
               ? world.read_json("out/streams/v1/index.json")
               : Json();
  }

  Json product(const std::string& name = "p", const std::string& id = content) const {
    return world.read_json(base::cat("out/streams/v1/", id, ".json")).at("products").at(name);
  }

  /// The stream as sstream-query --json shows it.
  std::string query(const std::string& where = "out") {
    sstream::QueryOptions query;
    query.source = world.path(where);
    query.output = sstream::QueryOutput::json;
    std::string text;
    const sstream::QuerySinks sinks{[&](std::string_view piece) { text += piece; },
                                    [](std::string_view) {}};
    sstream::query(query, sinks, world.context);
    return text;
  }

  support::World world;
};

TEST_F(Generate, PublishesTheFilesOfAListWithSizeAndDigest) {
  const auto result = generate(image("1", "disk", "twelve bytes", "\tos=debian"));
  EXPECT_TRUE(result.published.changed);
  EXPECT_EQ(result.listed, 1U);
  const auto item = product().at("versions").at("1").at("items").at("disk");
  EXPECT_EQ(item.at("size"), 12);
  EXPECT_EQ(item.at("sha256"), io::digest_hex(io::Algorithm::sha256, "twelve bytes"));
  EXPECT_FALSE(item.contains("md5"));
  EXPECT_EQ(product().at("os"), "debian");
  const auto entry = metadata().at("index").at(content);
  EXPECT_EQ(entry.at("datatype"), "image-downloads");
  EXPECT_FALSE(entry.contains("clouds"));
}

TEST_F(Generate, AgainChangesNothing) {
  const auto list = image("1", "disk", "text") + image("2", "disk", "text");
  generate(list);
  const auto before = metadata();
  world.clock.advance(std::chrono::hours(24));
  const auto result = generate(list);
  EXPECT_FALSE(result.published.changed);
  EXPECT_TRUE(result.items.empty());
  EXPECT_EQ(metadata(), before);
}

TEST_F(Generate, SaysMd5AndSha512WhereAskedFor) {
  auto asked = options();
  asked.md5 = true;
  const auto sha512 = io::digest_hex(io::Algorithm::sha512, "text");
  generate(image("1", "disk", "text", "\tsha512=" + sha512), asked);
  const auto item = product().at("versions").at("1").at("items").at("disk");
  EXPECT_EQ(item.at("md5"), io::digest_hex(io::Algorithm::md5, "text"));
  EXPECT_EQ(item.at("sha512"), sha512);
}

TEST_F(Generate, ImagesOfLxdAndIncusGetTheirFingerprints) {
  const auto of_both = [](const std::string& metadata, const std::string& root) {
    return io::digest_hex(io::Algorithm::sha256, metadata + root);
  };
  generate(image("1", "lxd.tar.xz", "for lxd") + image("1", "incus.tar.xz", "for incus") +
           image("1", "squashfs", "root") + image("1", "disk-kvm.img", "disk") +
           image("2", "lxd.tar.xz", "next") + image("2", "root.tar.xz", "tar"));
  const auto versions = product().at("versions");
  const auto& first = versions.at("1").at("items");
  EXPECT_EQ(first.at("lxd.tar.xz").at("combined_squashfs_sha256"), of_both("for lxd", "root"));
  EXPECT_EQ(first.at("lxd.tar.xz").at("combined_disk-kvm-img_sha256"), of_both("for lxd", "disk"));
  EXPECT_EQ(first.at("incus.tar.xz").at("combined_squashfs_sha256"), of_both("for incus", "root"));
  const auto& second = versions.at("2").at("items").at("lxd.tar.xz");
  EXPECT_EQ(second.at("combined_rootxz_sha256"), of_both("next", "tar"));
  EXPECT_FALSE(second.contains("combined_squashfs_sha256"));
  EXPECT_EQ(refusal(image("1", "lxd.tar.xz", "x", "\tcombined_squashfs_sha256=00") +
                        image("1", "squashfs", "root"),
                    "list:1: combined_squashfs_sha256: is 00, but the file p/1/squashfs has "),
            Errc::untrusted);
}

TEST_F(Generate, WhatTheListPromisesMustBeTrue) {
  EXPECT_EQ(refusal(image("1", "disk", "text", "\tsize=5"),
                    "list:1: size: is 5, but the file p/1/disk has 4"),
            Errc::untrusted);
  EXPECT_EQ(refusal(image("1", "disk", "text", "\tsha256=" + std::string(64, '0')),
                    "list:1: sha256: is 0000"),
            Errc::untrusted);
  EXPECT_EQ(
      refusal(image("1", "disk", "text", "\tmd5=" + std::string(32, '0')), "list:1: md5: is 0000"),
      Errc::untrusted);
}

TEST_F(Generate, AFileThatIsNotThereIsNamedWithItsLine) {
  const auto good = image("1", "disk", "text");
  EXPECT_EQ(refusal(good + content + "\tp\t2\tdisk\tpath=p/none\n", "list:2: path: "),
            Errc::not_found);
  EXPECT_EQ(refusal("", "no item in it"), Errc::not_found);
}

TEST_F(Generate, TheSameItemTwiceIsRefused) {
  const auto line = image("1", "disk", "text");
  EXPECT_EQ(refusal(line + line, "list:2: item_name: p/1/disk is listed already, at "),
            Errc::untrusted);
}

TEST_F(Generate, TheInputIsAllThereIsOfItsContent) {
  const auto first = image("1", "disk", "one");
  const auto second = image("2", "disk", "two");
  const auto third = image("3", "disk", "three");
  generate(first + second + "com.example:other\tp\t1\ti\tid=x\tregion=r\n");
  const auto result = generate(second + third);
  EXPECT_EQ(product().at("versions").size(), 2U);
  EXPECT_FALSE(product().at("versions").contains("1"));
  ASSERT_EQ(result.items.size(), 2U);
  EXPECT_EQ(result.items[0].id.text(), "p/3/disk");
  EXPECT_EQ(result.items[0].kind, ItemChange::Kind::added);
  EXPECT_EQ(result.items[1].id.text(), "p/1/disk");
  EXPECT_EQ(result.items[1].kind, ItemChange::Kind::removed);
  EXPECT_TRUE(metadata().at("index").contains("com.example:other"));
}

TEST_F(Generate, WithAddWhatIsThereStays) {
  const auto first = image("1", "disk", "one", "\tlabel=old");
  generate(first + image("1", "sums", "one", "\tlabel=old"));
  auto adding = options();
  adding.add = true;
  const auto result =
      generate(image("1", "disk", "uno", "\tlabel=new") + image("2", "disk", "two"), adding);
  const auto versions = product().at("versions");
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions.at("1").at("items").size(), 2U);
  const auto disk = versions.at("1").at("items").at("disk");
  EXPECT_EQ(disk.at("label"), "new");
  EXPECT_EQ(disk.at("sha256"), io::digest_hex(io::Algorithm::sha256, "uno"));
  EXPECT_EQ(versions.at("1").at("items").at("sums").at("label"), "old");
  ASSERT_EQ(result.items.size(), 2U);
  EXPECT_EQ(result.items[0].kind, ItemChange::Kind::changed);
  EXPECT_EQ(result.items[1].kind, ItemChange::Kind::added);
}

TEST_F(Generate, AListThatLosesMostIsRefused) {
  const auto third = image("3", "disk", "x");
  generate(image("1", "disk", "x") + image("2", "disk", "x") + third);
  EXPECT_EQ(refusal(third, "--allow-shrink"), Errc::refused);
  EXPECT_EQ(refusal(base::cat(content, "\tother\t1\ti\tid=x\n"), "--allow-drop"), Errc::refused);
}

TEST_F(Generate, FilesFromElsewhereAreBroughtIn) {
  world.write("images/a/disk", "text");
  auto from = options();
  from.files = world.path("images");
  const auto line = base::cat(content, "\tp\t1\tdisk\tpath=a/disk\n");
  const auto result = generate(line, from);
  EXPECT_EQ(result.published.file_count, 1U);
  EXPECT_EQ(base::read_file(world.path("out/a/disk")), "text");
  EXPECT_FALSE(generate(line, from).published.changed);
  world.write("images/a/disk", "other");
  EXPECT_EQ(refusal(line, "is there already with other content", from), Errc::conflict);
  from.files = world.path("out");
  EXPECT_FALSE(generate(line, from).published.changed);
  from.files = world.scratch.path();
  EXPECT_EQ(refusal(line, "one is inside the other", from), Errc::usage);
}

TEST_F(Generate, ALinkThatLeadsOutIsNotFollowed) {
  world.write("secret", "text");
  world.write("out/p/keep", "");
  ASSERT_EQ(::symlink(world.path("secret").c_str(), world.path("out/p/disk").c_str()), 0);
  refusal(base::cat(content, "\tp\t1\tdisk\tpath=p/disk\n"), "list:1: path: ");
}

TEST_F(Generate, ImageIdsAreListedWithTheirClouds) {
  auto clouds = options();
  clouds.cloudname = "aws";
  const auto id = [](const std::string& item, const std::string& region) {
    return base::cat("com.example:ec2\tcom.ubuntu.cloud:server:24.04:amd64\t20260101\t", item,
                     "\tid=ami-", item, "\tregion=", region, "\tendpoint=https://ec2.", region,
                     ".amazonaws.com\troot_store=ssd\tvirt=hvm\tarch=amd64\n");
  };
  const auto list = id("a", "us-east-1") + id("b", "eu-west-1") + id("c", "eu-west-1");
  EXPECT_TRUE(generate(list, clouds).published.changed);
  const auto entry = metadata().at("index").at("com.example:ec2");
  EXPECT_EQ(entry.at("datatype"), "image-ids");
  EXPECT_EQ(entry.at("cloudname"), "aws");
  EXPECT_EQ(entry.at("clouds"),
            (Json{{{"endpoint", "https://ec2.eu-west-1.amazonaws.com"}, {"region", "eu-west-1"}},
                  {{"endpoint", "https://ec2.us-east-1.amazonaws.com"}, {"region", "us-east-1"}}}));
  const auto node = product("com.ubuntu.cloud:server:24.04:amd64", "com.example:ec2");
  EXPECT_EQ(node.at("arch"), "amd64");
  EXPECT_EQ(node.at("versions").at("20260101").at("items").at("a").at("root_store"), "ssd");
  EXPECT_FALSE(generate(list, clouds).published.changed);
  clouds.cloudname = "other";  // of the index only
  EXPECT_TRUE(generate(list, clouds).published.changed);
  EXPECT_EQ(metadata().at("index").at("com.example:ec2").at("cloudname"), "other");
  EXPECT_TRUE(generate(id("a", "us-east-1"), clouds).published.changed);
  EXPECT_EQ(metadata().at("index").at("com.example:ec2").at("clouds").size(), 1U);
}

TEST_F(Generate, WhatAQueryShowsIsAListAgain) {
  generate(image("1", "disk", "one", "\tos=debian") + image("2", "disk", "two", "\tos=debian"));
  const auto shown = query();
  auto again = options();
  again.target = world.path("copy");
  again.files = world.path("out");
  generate(shown, again);
  auto copied = Json::parse(query("copy"));
  auto first = Json::parse(shown);
  for (auto* list : {&copied, &first}) {
    for (auto& item : *list) {
      item.erase("item_url");
      item.erase("updated");
    }
  }
  EXPECT_EQ(copied, first);
  EXPECT_EQ(base::read_file(world.path("copy/p/2/disk")), "two");
}

TEST_F(Generate, WithoutFilesTheListIsBelieved) {
  auto blind = options();
  blind.look_at_files = false;
  const auto head = base::cat(content, "\tp\t1\tdisk\tpath=p/none");
  EXPECT_EQ(refusal(head + "\n", "list:1: size: is missing", blind), Errc::untrusted);
  EXPECT_EQ(refusal(head + "\tsize=4\n", "list:1: sha256: is missing", blind), Errc::untrusted);
  generate(base::cat(head, "\tsize=4\tsha256=", std::string(64, 'a'), "\n"), blind);
  EXPECT_EQ(product().at("versions").at("1").at("items").at("disk").at("size"), 4);
}

TEST_F(Generate, ADryRunSaysAllAndWritesNothing) {
  auto dry = options();
  dry.publish.dry_run = true;
  world.write("images/a/disk", "text");
  dry.files = world.path("images");
  const auto list = base::cat(content, "\tp\t1\tdisk\tpath=a/disk\n");
  const auto planned = generate(list, dry);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, dry.target));
  dry.publish.dry_run = false;
  const auto done = generate(list, dry);
  EXPECT_EQ(planned.published.bytes, done.published.bytes);
  EXPECT_EQ(planned.published.streams, done.published.streams);
  ASSERT_EQ(planned.items.size(), done.items.size());
  EXPECT_EQ(planned.items[0].id, done.items[0].id);
}

TEST_F(Generate, ADirectoryOfImagesBecomesAStream) {
  world.write("images/noble/amd64/20260101/squashfs", "fs");
  world.write("images/noble/amd64/20260101/manifest", "list");
  world.write("images/README", "no image");
  auto scan = options();
  scan.scan.directory = world.path("images");
  scan.tags = {{"os", "ubuntu"}};
  const auto result = sstream::generate(scan, world.context);
  EXPECT_THAT(result.left_out, ElementsAre(HasSubstr("README")));
  EXPECT_EQ(result.published.file_count, 2U);
  const auto node = product(base::cat(content, ":noble:amd64"));
  EXPECT_EQ(node.at("os"), "ubuntu");
  EXPECT_EQ(node.at("release"), "noble");
  EXPECT_EQ(base::read_file(world.path("out/noble/amd64/20260101/squashfs")), "fs");
  EXPECT_FALSE(sstream::generate(scan, world.context).published.changed);
}

TEST_F(Generate, ItIsSignedAndReadsBackSigned) {
  const support::GpgHome home;
  const auto key = home.make_key();
  auto signed_options = options();
  signed_options.publish.sign = true;
  generate(image("1", "disk", "text"), signed_options);
  const auto keyring = world.write("keyring.gpg", home.export_keys({key}));
  sstream::QueryOptions read;
  read.source = world.path("out");
  read.trust.keyring = keyring;
  read.trust.require_signed = true;
  read.output = sstream::QueryOutput::json;
  std::string text;
  sstream::query(read, {[&](std::string_view piece) { text += piece; }, [](std::string_view) {}},
                 world.context);
  EXPECT_EQ(Json::parse(text).at(0).at("path"), "p/1/disk");
}

}  // namespace
