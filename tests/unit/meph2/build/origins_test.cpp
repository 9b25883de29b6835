#include "meph2/build/origins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "meph2/build/why.h"
#include "tests/support/refused.h"

namespace {

using io::Json;
using meph2::BuildInputs;
using meph2::InputsNow;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string one(64, '1');
const std::string two(64, '2');

Json report() {
  return {{"builder", "maas-cloudimg2eph2 1.0"},
          {"revision", 3},
          {"source", {{"sha256", one}, {"size", 7}}},
          {"stages",
           {{{"name", "prepare"},
             {"label", "prepared layer"},
             {"seconds", 12.3},
             {"outcome", "taken"},
             {"log", "/a/log"}}}},
          {"archives",
           {{{"url", "http://deb.example/debian"}, {"suite", "bookworm"}, {"sha256", two}}}},
          {"packages", {{"linux-image", "6.1.0-32"}}},
          {"later", "something new"}};
}

TEST(BuildReport, IsRead) {
  const auto read = meph2::parse_build_report(report().dump(), "report");
  EXPECT_EQ(read.builder, "maas-cloudimg2eph2 1.0");
  EXPECT_EQ(read.revision, 3U);
  EXPECT_EQ(read.source_sha256, one);
  EXPECT_EQ(read.source_size, 7U);
  ASSERT_EQ(read.stages.size(), 1U);
  EXPECT_EQ(read.stages[0].outcome, "taken");
  EXPECT_EQ(read.stages[0].seconds, 12.3);
  ASSERT_EQ(read.archives.size(), 1U);
  EXPECT_EQ(read.archives[0].url, "http://deb.example/debian/");
  EXPECT_EQ(read.packages.at("linux-image"), "6.1.0-32");
}

TEST(BuildReport, WhatIsAbsentIsUnknown) {
  const auto read = meph2::parse_build_report("{}", "report");
  EXPECT_EQ(read.builder, "");
  EXPECT_EQ(read.source_sha256, "");
  EXPECT_EQ(read.source_size, 0U);
  EXPECT_THAT(read.archives, IsEmpty());
}

struct Bad {
  const char* pointer;
  Json value;
  const char* reason;
};

void PrintTo(const Bad& row, std::ostream* out) {
  *out << row.pointer << ": " << row.reason;
}

class BadBuildReport : public testing::TestWithParam<Bad> {};

TEST_P(BadBuildReport, IsRefused) {
  auto json = report();
  json[Json::json_pointer(GetParam().pointer)] = GetParam().value;
  EXPECT_THAT(support::refused(base::Errc::untrusted,
                               [&] { meph2::parse_build_report(json.dump(), "report"); }),
              HasSubstr(base::cat("report: ", GetParam().reason)));
}

INSTANTIATE_TEST_SUITE_P(
    Of, BadBuildReport,
    testing::Values(Bad{"/builder", 7, "builder is of type integer, must be a string"},
                    Bad{"/builder", "two\nlines", "builder is no line of text"},
                    Bad{"/builder", std::string(5000, 'x'), "builder is no line of text"},
                    Bad{"/revision", -1, "revision is of type integer, must be a whole number"},
                    Bad{"/source", "x", "source is of type string, must be an object"},
                    Bad{"/source/sha256", "12", "sha256 '12' is no digest"},
                    Bad{"/source/sha256", std::string(64, 'x'), "sha256 'xxx"},
                    Bad{"/stages", Json::object(), "stages is of type object, must be an array"},
                    Bad{"/stages/0", 1, "stages is of type integer, must be an array of objects"},
                    Bad{"/stages/0/outcome", "lost", "outcome 'lost' is none of"},
                    Bad{"/archives/0/url", "file:///etc", "the archive 'file:///etc' is no URL"},
                    Bad{"/archives/0/suite", "../../x", "the suite '../../x': "},
                    Bad{"/archives/0/suite", "", "the suite '': "},
                    Bad{"/packages", Json::array(), "packages is of type array, must be an object"},
                    Bad{"/packages/linux-image", 6, "packages/linux-image is of type integer"}),
    [](const auto& given) {
      const auto name = base::replace_all(given.param.pointer + 1, "/", "_");
      return base::cat(base::replace_all(name, "-", "_"), "_", given.index);
    });

TEST(BuildReport, TextThatIsNoJsonIsRefused) {
  for (const auto* text : {"", "[]", "{\"builder\": 1,}", "null"}) {
    EXPECT_THROW(meph2::parse_build_report(text, "report"), base::Error) << text;
  }
}

BuildInputs inputs() {
  BuildInputs made;
  made.origin = "/images/noble.squashfs";
  made.source_sha256 = one;
  made.source_size = 7;
  made.settings = {
      {"flags", "--proposed"}, {"kernel", {{"package", "linux-generic"}}}, {"squashfs", true}};
  made.builder = "maas-cloudimg2eph2 1.0";
  made.revision = 3;
  made.program = "aa";
  made.archives = {{"http://deb.example/debian/", "bookworm", two}};
  made.packages = {{"linux-image", "6.1.0-32"}};
  return made;
}

TEST(BuildInputs, EverythingButTheNameOfTheSourceCounts) {
  const auto digest = meph2::digest_of(inputs());
  EXPECT_EQ(meph2::digest_of(inputs()), digest);
  auto other = inputs();
  other.origin = "elsewhere";
  EXPECT_EQ(meph2::digest_of(other), digest);
  const std::vector<void (*)(BuildInputs&)> changes = {
      [](BuildInputs& each) { each.source_sha256 = two; },
      [](BuildInputs& each) { each.source_size = 8; },
      [](BuildInputs& each) { each.settings["squashfs"] = false; },
      [](BuildInputs& each) { each.settings["kernel"]["package"] = "linux-other"; },
      [](BuildInputs& each) { each.builder = "maas-cloudimg2eph2 1.1"; },
      [](BuildInputs& each) { each.revision = 4; },
      [](BuildInputs& each) { each.program = "bb"; },
      [](BuildInputs& each) { each.archives[0].sha256 = one; },
      [](BuildInputs& each) { each.archives[0].suite = "trixie"; },
      [](BuildInputs& each) { each.archives.clear(); },
      [](BuildInputs& each) { each.packages["linux-image"] = "6.1.0-33"; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto changed = inputs();
    changes[i](changed);
    EXPECT_NE(meph2::digest_of(changed), digest) << "change " << i;
  }
}

TEST(BuildInputs, AreCompleteOnlyWhenNothingIsUnknown) {
  EXPECT_TRUE(meph2::is_complete(inputs()));
  const std::vector<void (*)(BuildInputs&)> losses = {
      [](BuildInputs& each) { each.source_sha256.clear(); },
      [](BuildInputs& each) { each.builder.clear(); },
      [](BuildInputs& each) { each.program.clear(); },
      [](BuildInputs& each) { each.archives.clear(); },
      [](BuildInputs& each) { each.archives[0].sha256.clear(); },
      [](BuildInputs& each) { each.settings = Json::object(); },
  };
  for (std::size_t i = 0; i < losses.size(); ++i) {
    auto lost = inputs();
    losses[i](lost);
    EXPECT_FALSE(meph2::is_complete(lost)) << "loss " << i;
  }
}

std::vector<std::string> differences(const InputsNow& now, const BuildInputs& before = inputs()) {
  std::vector<std::string> lines;
  for (const auto& change : meph2::compare_inputs(before, now)) {
    lines.push_back(meph2::line_of(change));
  }
  return lines;
}

TEST(BuildCompare, EqualInputsGiveNothing) {
  EXPECT_THAT(differences({inputs(), {}}), IsEmpty());
}

TEST(BuildCompare, NamesEachKindOfChange) {
  InputsNow now{inputs(), {}};
  now.inputs.source_sha256 = two;
  now.inputs.settings["kernel"]["package"] = "linux-hwe";
  now.inputs.settings["kernel"]["dtb"] = "board.dtb";
  now.inputs.settings.erase("flags");
  now.inputs.settings["squashfs"] = false;
  now.inputs.builder = "maas-cloudimg2eph2 1.1";
  now.inputs.archives[0].sha256 = one;
  now.inputs.packages["linux-image"] = "6.1.0-33";
  EXPECT_THAT(
      differences(now),
      ElementsAre(base::cat("source: ", one, " -> ", two), "setting flags: --proposed -> (none)",
                  "setting kernel.dtb: (none) -> board.dtb",
                  "setting kernel.package: linux-generic -> linux-hwe",
                  "setting squashfs: True -> False",
                  "builder: maas-cloudimg2eph2 1.0 -> maas-cloudimg2eph2 1.1",
                  "archive http://deb.example/debian/ bookworm: changed",
                  "package linux-image: 6.1.0-32 -> 6.1.0-33"));
}

TEST(BuildCompare, ABuilderOfOneVersionMayBeAnotherProgram) {
  InputsNow now{inputs(), {}};
  now.inputs.program = "bb";
  EXPECT_THAT(differences(now), ElementsAre("builder program: changed"));
  now.inputs.revision = 4;
  EXPECT_THAT(differences(now), ElementsAre("builder revision: 3 -> 4"));
}

TEST(BuildCompare, WhatIsUnknownIsSaidToBe) {
  InputsNow now{inputs(), {{"source", "until it is fetched"}}};
  now.inputs.source_sha256.clear();
  now.inputs.source_size = 0;
  now.inputs.archives[0].sha256.clear();
  now.unknown["archive http://deb.example/debian/ bookworm"] = "404";
  EXPECT_THAT(differences(now), ElementsAre("source: unknown: until it is fetched",
                                            "archive http://deb.example/debian/ bookworm: "
                                            "unknown: 404"));
  for (const auto& change : meph2::compare_inputs(inputs(), now)) {
    EXPECT_FALSE(change.known) << change.what;
  }
  now.inputs.source_size = 8;
  EXPECT_EQ(differences(now).front(), "source: 7 bytes -> 8 bytes");
}

TEST(BuildCompare, WhatWasNotRecordedIsSaidToBe) {
  BuildInputs before;
  before.settings = inputs().settings;
  EXPECT_THAT(
      differences({inputs(), {}}, before),
      ElementsAre("source: unknown: it was not recorded", "builder: unknown: it was not recorded",
                  "archives: unknown: none was recorded"));
}

}  // namespace
