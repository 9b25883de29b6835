#include "meph2/image/steps/stage_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "io/json/json.h"
#include "tests/support/refused.h"

namespace meph2::image {
namespace {

using io::Json;
using testing::HasSubstr;

InitrdNeeds needs() {
  return {.generator = {"g"},
          .initrd_packages = {"ip"},
          .initrd_optional = {"io"},
          .dracut_packages = {"dp"},
          .purge = {"pu"},
          .modules = {"mo"},
          .dracut_modules = {"dm"},
          .dracut_drivers = {"dd"},
          .files = {{"/f", "text"}},
          .scratch_remove = {"/s"},
          .divert = {"/d"}};
}

Proposed proposed() {
  return {.wanted = true, .line = "l", .suite = "s", .all = false};
}

/// One of each kind, with no field as it would be without being read, and its text.
struct Sample {
  const char* kind;
  StageInput input;
  std::string text;
};

std::vector<Sample> samples() {
  const std::string initrd =
      R"("dracut_drivers":["dd"],"dracut_modules":["dm"],"dracut_packages":["dp"],)";
  return {
      {.kind = "adjust",
       .input = AdjustInput{.proposed = proposed(),
                            .repositories = {"r"},
                            .purge = {"p"},
                            .upgrade = true,
                            .add = {"a"},
                            .divert = {"/d"}},
       .text = R"({"add":["a"],"divert":["/d"],"proposed":true,"proposed_all":false,)"
               R"("proposed_line":"l","proposed_suite":"s","purge_packages":["p"],)"
               R"("repositories":["r"],"upgrade":true})"},
      {.kind = "prepare",
       .input = PrepareInput{.needs = needs(), .proposed = proposed(), .kernels = {"k"}},
       .text = R"({"divert":["/d"],)" + initrd +
               R"("files":{"/f":"text"},"generator":["g"],"initrd_optional":["io"],)"
               R"("initrd_packages":["ip"],"kernels":["k"],"modules":["mo"],"proposed":true,)"
               R"("proposed_all":false,"proposed_line":"l","proposed_suite":"s","purge":["pu"],)"
               R"("scratch_remove":["/s"]})"},
      {.kind = "kernel",
       .input = KernelInput{.needs = needs(), .package = "p", .dtbs = {"b"}},
       .text = R"({"divert":["/d"],)" + initrd +
               R"("dtbs":["b"],"files":{"/f":"text"},"generator":["g"],"initrd_optional":["io"],)"
               R"("initrd_packages":["ip"],"modules":["mo"],"package":"p","purge":["pu"],)"
               R"("scratch_remove":["/s"]})"},
      {.kind = "kihelper",
       .input = KihelperInput{.program = "/p", .place = "q", .version = "v"},
       .text = R"({"place":"q","program":"/p","version":"v"})"},
      {.kind = "squash",
       .input = SquashInput{.output = "o", .jobs = 3, .compression = "xz", .conf = "c"},
       .text = R"({"compression":"xz","conf":"c","jobs":3,"output":"o"})"},
      {.kind = "rpm",
       .input = RpmInput{.packages = {"p"}, .base_mirror = "b", .epel_mirror = "e"},
       .text = R"({"base_mirror":"b","epel_mirror":"e","packages":["p"]})"},
      {.kind = "tar", .input = TarInput{.output = "o"}, .text = R"({"output":"o"})"},
  };
}

std::string error_of(const char* kind, const Json& json) {
  return support::refused(base::Errc::internal, [&] { stage_input(kind, json); });
}

TEST(StageInput, IsReadAsItWasWritten) {
  EXPECT_EQ(samples().size(), std::variant_size_v<StageInput>);
  for (const auto& [kind, input, text] : samples()) {
    EXPECT_STREQ(kind_of(input), kind);
    EXPECT_EQ(to_json(input).dump(), text);
    const auto read = stage_input(kind, Json::parse(text));
    EXPECT_EQ(read.index(), input.index());
    EXPECT_EQ(to_json(read).dump(), text);
  }
}

TEST(StageInput, NamesTheKeyThatIsWrong) {
  for (const auto& [kind, input, text] : samples()) {
    const auto whole = Json::parse(text);
    for (const auto& [key, value] : whole.items()) {
      auto json = whole;
      json.erase(key);
      EXPECT_THAT(error_of(kind, json), HasSubstr("key '" + key + "' is missing"));
      json[key + "s"] = value;
      EXPECT_THAT(error_of(kind, json), HasSubstr("key '" + key + "' is missing"));
      json[key] = value;
      EXPECT_THAT(error_of(kind, json), HasSubstr("unknown key '" + key + "s'"));
      json = whole;
      json[key] = nullptr;
      EXPECT_THAT(error_of(kind, json), HasSubstr("key '" + key + "'"));
    }
  }
}

TEST(StageInput, IsOfAKnownKind) {
  EXPECT_EQ(error_of("tra", {{"output", "o"}}), "stage tra: unknown kind");
}

}  // namespace
}  // namespace meph2::image
