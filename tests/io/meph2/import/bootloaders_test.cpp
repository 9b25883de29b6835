#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/hash/digest.h"
#include "io/http/http.h"
#include "meph2/import/import.h"
#include "tests/io/meph2/import/debian_package.h"
#include "tests/support/http_server.h"
#include "tests/support/publication_world.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using io::Json;
using support::TarWriter;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* content_id = "com.example:1:bootloader-download";
constexpr const char* product = "com.example:1:grub-efi-signed:uefi:amd64";
constexpr const char* stream = "s/streams/v1/com.example:1:bootloader-download.json";

std::string sha256(const std::string& content) {
  return io::digest_hex(io::Algorithm::sha256, content);
}

/// A small archive of one suite on a loopback server, and a stream to import it into.
class BootloaderImport : public testing::Test {
 protected:
  BootloaderImport() {
    key_ = home_.make_key();
    world.write("archive.gpg", home_.export_keys({key_}));
    options_.target = world.path("s");
    options_.config = world.write("boot.yaml", config());
    options_.publish.action = "import";
    options_.publish.create = true;
    options_.publish.sign = false;
    options_.publish.lock_timeout = std::chrono::seconds(0);
    add_package("shim-signed", "1.44", "",
                TarWriter().file("usr/lib/shim/shimx64.efi.signed", "shim").bytes());
    add_package("grub-signed", "1+2.06", "grub2-signed (1)",
                TarWriter()
                    .file("usr/lib/grub/grubnetx64.efi.signed", "grub")
                    .file("usr/lib/grub/other.efi", "other")
                    .bytes());
    offer_archive();
  }

  std::string config() const {
    return base::cat("product_id: 'com.example:1:{os}:{firmware_platform}:{arch}'\ncontent_id: ",
                     content_id, "\nkeyring: ", world.path("archive.gpg"),
                     "\nbootloaders:\n"
                     "  - firmware-platform: uefi\n    arch: amd64\n    arches: amd64\n"
                     "    os: grub-efi-signed\n    release: stable\n"
                     "    archives:\n      - archive: ",
                     server_.url("/debian"),
                     "\n        suites: [stable]\n"
                     "    packages: [shim-signed, grub-signed]\n"
                     "    files:\n      - usr/lib/shim/shimx64.efi.signed, bootx64.efi\n"
                     "      - usr/lib/grub/grubnetx64.efi.signed, grubx64.efi\n"
                     "      - usr/lib/grub/*.efi\n");
  }

  void add_package(const std::string& name, const std::string& version, const std::string& source,
                   const std::string& data_tar) {
    const auto deb = support::debian_package(data_tar);
    const auto file = base::cat("pool/", name, "_", version, ".deb");
    server_.offer("/debian/" + base::percent_encode_path(file), deb);
    packages_ += base::cat("Package: ", name, "\nArchitecture: amd64\nVersion: ", version,
                           source.empty() ? "" : "\nSource: " + source, "\nFilename: ", file,
                           "\nSize: ", deb.size(), "\nSHA256: ", sha256(deb), "\n\n");
  }

  void offer_archive(const std::string& date = "Thu, 01 Jan 2026 00:00:00 UTC",
                     const std::string& more = "") {
    const auto index = support::xz(packages_);
    server_.offer("/debian/dists/stable/main/binary-amd64/Packages.xz", index);
    const io::Signer signer(key_, world.clock);
    const auto text = base::cat("Origin: test\nSuite: stable\nCodename: twelve\nDate: ", date, "\n",
                                more, "SHA256:\n ", sha256(index), " ", index.size(),
                                " main/binary-amd64/Packages.xz\n");
    release_ = signer.clearsign(text);
    server_.offer(in_release, release_, base::cat("\"", sha256(release_), "\""));
  }

  meph2::ImportResult run() {
    const auto http = io::make_http_client(http_options());
    const sstream::Context context{world.clock, world.log, world.progress, *http, {}};
    return meph2::import_into(options_, context);
  }

  static io::HttpOptions http_options() {
    io::HttpOptions options;
    options.tries = 1;
    return options;
  }

  void refused(const std::string& reason, Errc code = Errc::untrusted) {
    EXPECT_THAT(support::refused(code, [&] { run(); }), HasSubstr(reason));
    EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path(stream)));
  }

  std::vector<std::string> versions() const {
    std::vector<std::string> names;
    const auto tree = world.read_json(stream);
    for (const auto& entry : tree.at("products").at(product).at("versions").items()) {
      names.push_back(entry.key());
    }
    return names;
  }

  std::string listing(const std::string& path) const {
    base::Command command;
    command.argv = {"tar", "-tJf", world.path("s/" + path)};
    command.capture_output = true;
    return base::run_checked(command).output;
  }

  static constexpr const char* in_release = "/debian/dists/stable/InRelease";
  support::World world;
  support::GpgHome home_;
  support::HttpServer server_;
  std::string key_;
  std::string packages_;
  std::string release_;
  meph2::ImportOptions options_;
};

TEST_F(BootloaderImport, PacksTheFilesOfEachSourcePackage) {
  const auto result = run();
  EXPECT_THAT(result.items, SizeIs(2));
  const auto tree = world.read_json(stream);
  const auto& found = tree["products"][product];
  EXPECT_EQ(found["bootloader-type"], "uefi");
  EXPECT_EQ(found["arches"], "amd64");
  const auto& items = found["versions"]["20260101.0"]["items"];
  const auto& grub = items["grub2-signed"];
  EXPECT_EQ(grub["src_package"], "grub2-signed");
  EXPECT_EQ(grub["src_version"], "1+2.06");
  EXPECT_EQ(grub["src_release"], "stable");
  EXPECT_EQ(grub["ftype"], "archive.tar.xz");
  EXPECT_EQ(grub["path"], "bootloaders/uefi/amd64/20260101.0/grub2-signed.tar.xz");
  EXPECT_EQ(listing("bootloaders/uefi/amd64/20260101.0/grub2-signed.tar.xz"),
            "grubx64.efi\nother.efi\n");
  EXPECT_EQ(listing("bootloaders/uefi/amd64/20260101.0/shim-signed.tar.xz"), "bootx64.efi\n");
}

TEST_F(BootloaderImport, WithNothingNewCostsOneConditionalRequestPerIndex) {
  run();
  const auto before = server_.seen().size();
  const auto result = run();
  EXPECT_FALSE(result.published && result.published->changed);
  EXPECT_THAT(result.items, SizeIs(0));
  const auto seen = server_.seen();
  ASSERT_EQ(seen.size(), before + 1);
  EXPECT_EQ(seen.back().path, in_release);
  EXPECT_EQ(seen.back().header("if-none-match"), base::cat("\"", sha256(release_), "\""));
  EXPECT_THAT(versions(), ElementsAre("20260101.0"));
}

TEST_F(BootloaderImport, TakesTheNewestVersionByDebiansOrder) {
  run();
  // As a text 1.9 would be newer; and this one is not Debian's newest either way.
  add_package("shim-signed", "1.100", "",
              TarWriter().file("usr/lib/shim/shimx64.efi.signed", "new").bytes());
  add_package("shim-signed", "1.9", "",
              TarWriter().file("usr/lib/shim/shimx64.efi.signed", "old").bytes());
  offer_archive();
  run();
  EXPECT_THAT(versions(), ElementsAre("20260101.0", "20260101.1"));
  const auto tree = world.read_json(stream);
  EXPECT_EQ(
      tree["products"][product]["versions"]["20260101.1"]["items"]["shim-signed"]["src_version"],
      "1.100");
}

TEST_F(BootloaderImport, ForceAndALeftDirectoryTakeTheNextName) {
  world.write("s/bootloaders/uefi/amd64/20260101.0/grub2-signed.tar.xz", "left by a crash");
  run();
  EXPECT_THAT(versions(), ElementsAre("20260101.1"));
  options_.force = true;
  run();
  EXPECT_THAT(versions(), ElementsAre("20260101.1", "20260101.2"));
}

TEST_F(BootloaderImport, OtherKeysOfTheProductsFileStay) {
  run();
  auto tree = world.read_json(stream);
  tree["license"] = "as it was";
  tree["nested"] = Json{{"a", Json::array({1, nullptr})}};
  world.write(stream, io::to_text(tree));
  options_.force = true;
  run();
  const auto after = world.read_json(stream);
  EXPECT_EQ(after["license"], "as it was");
  EXPECT_EQ(after["nested"], tree["nested"]);
}

TEST_F(BootloaderImport, ADryRunChangesNothingAndSaysTheSame) {
  options_.publish.dry_run = true;
  const auto planned = run();
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("s")));
  options_.publish.dry_run = false;
  EXPECT_EQ(planned.items, run().items);
}

TEST_F(BootloaderImport, NothingIsTakenUnverified) {
  const auto other = home_.make_key({"Other <other@example.com>"});
  world.write("archive.gpg", home_.export_keys({other}));
  refused("which is not in keyring");
  world.write("archive.gpg", home_.export_keys({key_}));

  const auto good = release_;
  server_.offer(in_release, base::replace_all(good, "twelve", "eleven"), "\"2\"");
  refused("bad signature");
  server_.offer(in_release, good, "\"3\"");

  server_.offer("/debian/dists/stable/main/binary-amd64/Packages.xz", support::xz("rubbish"));
  refused("Packages.xz");
  offer_archive();

  server_.offer("/debian/pool/" + base::percent_encode_path("grub-signed_1+2.06.deb"), "rubbish");
  refused("grub-signed");
}

TEST_F(BootloaderImport, ArchivesThatAreOverOrOfAnotherSuiteAreRefused) {
  offer_archive("Mon, 01 Dec 2025 00:00:00 UTC", "Valid-Until: Mon, 08 Dec 2025 00:00:00 UTC\n");
  refused("has expired");
  offer_archive("Thu, 08 Jan 2026 00:00:00 UTC");
  refused("ahead of this machine's clock");
  world.write("boot.yaml", base::replace_all(config(), "[stable]", "[testing]"));
  offer_archive();
  server_.offer("/debian/dists/testing/InRelease", release_);
  refused("not of 'testing'");
}

TEST_F(BootloaderImport, AnOlderReleaseThanWasSeenIsRefused) {
  run();
  offer_archive("Wed, 31 Dec 2025 00:00:00 UTC");
  EXPECT_THAT(support::refused([&] { run(); }).what(), HasSubstr("older than what was seen"));
}

TEST_F(BootloaderImport, SignaturesByUnknownKeysDoNotCountWhereAKnownOneIsGood) {
  const auto other = home_.make_key({"Other <other@example.com>"});
  const auto both =
      home_.gpg({"--batch", "--faked-system-time", "20260101T000000", "--clearsign",
                 "--digest-algo", "SHA256", "-u", key_, "-u", other},
                io::Verifier(io::Keyring::load(world.path("archive.gpg")), world.clock)
                    .verify_clearsigned(release_, "r")
                    .text);
  server_.offer(in_release, both, "\"4\"");
  EXPECT_THAT(run().items, SizeIs(2));
}

TEST_F(BootloaderImport, WhatIsNotThereIsNamed) {
  world.write("boot.yaml", base::replace_all(config(), "grub-signed]", "grub-gone]"));
  refused("package grub-gone for amd64", Errc::not_found);
  world.write("boot.yaml", base::replace_all(config(), "grubnetx64", "grubnetx65"));
  refused("no package has a file usr/lib/grub/grubnetx65.efi.signed", Errc::not_found);
  world.write("boot.yaml", base::replace_all(config(), "shim/shimx64", "shim/shimx65"));
  refused("package shim-signed 1.44: none of its files is wanted", Errc::not_found);
  world.write("boot.yaml", base::replace_all(config(), "arch: amd64", "arch: 7"));
  refused("boot.yaml:6:11", Errc::usage);
}

}  // namespace
