#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/tree.h"
#include "meph2/import/import.h"
#include "meph2/lint/gate.h"
#include "tests/support/publication_world.h"
#include "tests/support/refused.h"
#include "tests/support/tar_writer.h"

namespace {

using base::Errc;
using io::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Import : public testing::Test {
 protected:
  Import() {
    options.target = world.path("s");
    options.publish.action = "import";
    options.publish.create = true;
    options.publish.sign = false;
    options.publish.lock_timeout = std::chrono::seconds(0);
  }

  meph2::ImportResult run() const { return meph2::import_into(options, world.context); }

  Json products(const std::string& content_id) const {
    return world.read_json(base::cat("s/streams/v1/", content_id, ".json")).at("products");
  }

  void refused(const std::string& reason, Errc code) const {
    EXPECT_THAT(support::refused(code, [&] { run(); }), HasSubstr(reason));
  }

  void artefact(const std::string& content) {
    options.artefact.files = {{"root-tgz", world.write("root.tar", content)}};
    options.artefact.os = "centos";
    options.artefact.release = "centos9";
    options.artefact.arch = "amd64";
  }

  static std::string root_tar(const std::string& file = "x") {
    return support::TarWriter()
        .directory("./")
        .directory("etc")
        .file("etc/os-release", file)
        .directory("usr")
        .directory("var")
        .directory("var/lib")
        .directory("var/lib/dpkg")
        .file("var/lib/dpkg/status",
              "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.2\n")
        .bytes();
  }

  support::World world;
  meph2::ImportOptions options;
};

constexpr const char* centos = "com.ubuntu.maas:candidate:centos-bases-download";

TEST_F(Import, AnArtefactBecomesWhatMaasDeploys) {
  artefact(root_tar());
  options.publish.gate = [](const sstream::GateView& view, const sstream::Context& context) {
    meph2::lint_gate(meph2::LintGate::refuse, view, context);
  };
  EXPECT_THAT(run().items, SizeIs(2));
  const auto product = products(centos).at("com.ubuntu.maas.candidate:centos-bases:centos9:amd64");
  EXPECT_EQ(product["os"], "centos");
  EXPECT_EQ(product["release_title"], "centos centos9");
  const auto& items = product["versions"]["20260101_01"]["items"];
  EXPECT_EQ(items["root-tgz"]["path"], "centos/centos9/amd64/20260101_01/root-tgz");
  EXPECT_EQ(base::read_file(world.path("s/centos/centos9/amd64/20260101_01/manifest")),
            "dpkg\t1.2\n");
}

TEST_F(Import, TheSameArtefactAddsNoVersionAndAnotherOneDoes) {
  artefact(root_tar());
  run();
  EXPECT_THAT(run().items, IsEmpty());
  artefact(root_tar("y"));
  EXPECT_EQ(run().items.front().first.version, "20260101_02");
}

TEST_F(Import, WhatIsNoRootFileSystemIsRefused) {
  artefact(std::string(100'000, 'x'));
  refused("root.tar", Errc::untrusted);
  artefact(root_tar());
  options.artefact.os = "../x";
  refused("--os '../x'", Errc::usage);
}

constexpr const char* notes = "com.ubuntu.maas:candidate:1:maas-notification";

std::string note(const std::string& version) {
  return base::cat("product_id: ", notes, "\ncontent_id: ", notes,
                   "\nrelease-notification:\n  version: 1.0\n  maas_version: ", version,
                   "\n  message: hello\n  links: [a, 1, {b: null}]\n");
}

TEST_F(Import, ANotificationIsPublishedOnceWithAllOfItsPayload) {
  options.config = world.write("note.yaml", note("\"3.5.0\""));
  run();
  EXPECT_THAT(run().items, IsEmpty());
  const auto versions = products(notes)[notes]["versions"];
  EXPECT_THAT(versions, SizeIs(1));
  EXPECT_EQ(versions["20260101.0"]["items"]["release_notification"]["release_notification"],
            io::parse_json(R"({"version": 1.0, "maas_version": "3.5.0", "message": "hello",
                               "links": ["a", 1, {"b": null}]})",
                           "wanted"));
  world.write("note.yaml", note("\"3.6.0\""));
  EXPECT_THAT(run().items, SizeIs(1));
}

TEST_F(Import, ABadConfigurationHasItsPlace) {
  options.config = world.write("note.yaml", note("3.5"));
  refused("note.yaml:5:17: release-notification.maas_version", Errc::usage);
  options.config = world.write("none.yaml", "content_id: a\nproduct_id: b\n");
  refused("none.yaml:1:1", Errc::usage);
  options.config = world.path("nosuch.yaml");
  refused("nosuch.yaml", Errc::usage);
}

TEST_F(Import, PackerImagesComeWithTheirManifest) {
  world.write("packer-maas/c9/Makefile",
              "clean:\n\trm -f c9.tar.gz\nall:\n\tcp $(KS_MIRROR) c9.tar.gz\n\techo pkg > "
              "$(MANIFEST)\n");
  const auto image = world.write("image", root_tar());
  options.config = world.write(
      "conf/packer.yaml", base::cat("packer-maas:\n  c9:\n    os: centos\n    release: centos9\n"
                                    "    version: 9\n    ks_mirror: ",
                                    image, "\n"));
  options.publish.dry_run = true;
  EXPECT_THAT(run().items, SizeIs(1));
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("packer-maas/c9/c9.tar.gz")));
  options.publish.dry_run = false;
  run();
  const auto items = products(
      centos)["com.ubuntu.maas.candidate:centos-bases:9:amd64"]["versions"]["20260101_01"]["items"];
  EXPECT_EQ(items["root-tgz"]["ftype"], "root-tgz");
  EXPECT_EQ(items["manifest"]["path"], "centos/centos9/amd64/20260101_01/root-tgz.manifest");
  EXPECT_EQ(base::read_file(world.path("s/centos/centos9/amd64/20260101_01/root-tgz")), root_tar());
  EXPECT_THAT(run().items, IsEmpty());
}

}  // namespace
