#include "meph2/image/sandbox/emulation.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace {

using meph2::image::EmulationFacts;
using meph2::image::interpreter_path;
using meph2::image::is_static_program;
using meph2::image::missing_for_emulation;
using meph2::image::rule_for;
using meph2::image::rule_serves;
using meph2::image::runs_natively;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Emulation, IsForProgramsThatTheMachineDoesNotRun) {
  for (const auto& [arch, machine] : {std::pair{"amd64", "x86_64"},
                                      {"i386", "x86_64"},
                                      {"arm64", "aarch64"},
                                      {"armhf", "armv7l"},
                                      {"ppc64el", "ppc64le"},
                                      {"s390x", "s390x"},
                                      {"riscv64", "riscv64"},
                                      {"", "x86_64"},
                                      {"all", "x86_64"}}) {
    EXPECT_TRUE(runs_natively(arch, machine)) << arch << " on " << machine;
  }
  for (const auto& [arch, machine] : {std::pair{"arm64", "x86_64"},
                                      {"armhf", "x86_64"},
                                      {"ppc64el", "x86_64"},
                                      {"s390x", "x86_64"},
                                      {"riscv64", "x86_64"},
                                      {"amd64", "aarch64"},
                                      {"amd64", "i686"},
                                      {"arm64", "armv7l"}}) {
    EXPECT_FALSE(runs_natively(arch, machine)) << arch << " on " << machine;
  }
}

TEST(Emulation, FindsTheEmulatorByTheNameThatQemuHasForIt) {
  EXPECT_EQ(interpreter_path("", "arm64"), "/usr/bin/qemu-aarch64-static");
  EXPECT_EQ(interpreter_path("", "ppc64el"), "/usr/bin/qemu-ppc64le-static");
  EXPECT_EQ(interpreter_path("/opt/%a/qemu-%a", "armhf"), "/opt/arm/qemu-arm");
  EXPECT_EQ(interpreter_path("/opt/qemu", "s390x"), "/opt/qemu");
}

// The rules that QEMU's own script (qemu-binfmt-conf.sh) and Debian's packages register.
TEST(Emulation, RegistersTheMagicOfTheArchitecture) {
  const std::string zeros = R"(\x00\x00\x00\x00\x00\x00\x00\x00\x00)";
  EXPECT_THAT(rule_for("arm64", "/q"),
              StartsWith(R"(:meph2-aarch64:M::\x7f\x45\x4c\x46\x02\x01\x01)" + zeros +
                         R"(\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff)"));
  EXPECT_THAT(rule_for("arm64", "/q"), testing::EndsWith(R"(\xff\xfe\xff\xff\xff:/q:PF)"));
  EXPECT_THAT(rule_for("armhf", "/q"),
              HasSubstr(R"(\x46\x01\x01\x01)" + zeros + R"(\x02\x00\x28\x00:)"));
  EXPECT_THAT(rule_for("ppc64el", "/q"),
              HasSubstr(R"(\x46\x02\x01\x01)" + zeros + R"(\x02\x00\x15\x00:)"));
  EXPECT_THAT(rule_for("riscv64", "/q"),
              HasSubstr(R"(\x46\x02\x01\x01)" + zeros + R"(\x02\x00\xf3\x00:)"));
  EXPECT_THAT(rule_for("s390x", "/q"),
              HasSubstr(R"(\x46\x02\x02\x01)" + zeros + R"(\x00\x02\x00\x16:)"));
  EXPECT_THAT(rule_for("s390x", "/q"), testing::EndsWith(R"(\xff\xff\xfe\xff\xff:/q:PF)"));
}

TEST(Emulation, UsesARuleOfTheMachineThatServesInAnyRoot) {
  const std::string rule =
      "enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: POF\noffset 0\n"
      "magic 7f454c460201010000000000000000000200b700\nmask "
      "ffffffffffffff00fffffffffffffffffeffffff\n";
  EXPECT_TRUE(rule_serves(rule, "arm64"));
  EXPECT_FALSE(rule_serves(rule, "armhf"));
  EXPECT_FALSE(rule_serves(base::replace_all(rule, "enabled", "disabled"), "arm64"));
  EXPECT_FALSE(rule_serves(base::replace_all(rule, "POF", "PO"), "arm64"));
  EXPECT_FALSE(rule_serves("", "arm64"));
}

/// A 64-bit ELF head with one entry in its program header table.
std::string program(char type) {
  std::string head =
      "\x7f"
      "ELF\x02\x01\x01";
  head.resize(120, '\0');
  head[32] = 64;  // where the table is
  head[54] = 56;  // the size of an entry
  head[56] = 1;   // how many
  head[64] = type;
  return head;
}

TEST(Emulation, WantsAnEmulatorWithoutALoader) {
  EXPECT_TRUE(is_static_program(program(1)));
  EXPECT_FALSE(is_static_program(program(3)));
  EXPECT_FALSE(is_static_program(program(1).substr(0, 64)));
  EXPECT_FALSE(is_static_program("#!/bin/sh\n"));
  EXPECT_FALSE(is_static_program(""));
}

EmulationFacts good() {
  EmulationFacts facts;
  facts.machine = "x86_64";
  facts.kernel = "6.8.0-45-generic";
  facts.interpreter = "/usr/bin/qemu-aarch64-static";
  facts.interpreter_exists = true;
  facts.interpreter_is_static = true;
  return facts;
}

TEST(Emulation, NothingIsMissingWhereAllIsThere) {
  EXPECT_EQ(missing_for_emulation(good(), "arm64"), "");
  auto facts = good();
  facts.kernel = "6.1.0-28-amd64";
  facts.interpreter_exists = false;
  facts.registered = true;
  EXPECT_EQ(missing_for_emulation(facts, "arm64"), "");
  EXPECT_EQ(missing_for_emulation({}, "arm64").empty(), false);
  facts.registered = false;
  EXPECT_EQ(missing_for_emulation(facts, "amd64"), "");
}

struct Row {
  const char* name;
  std::function<void(EmulationFacts&)> spoil;
  const char* message;
};

class MissingForEmulation : public testing::TestWithParam<Row> {};

TEST_P(MissingForEmulation, IsNamedWithWhatMendsIt) {
  auto facts = good();
  GetParam().spoil(facts);
  EXPECT_THAT(missing_for_emulation(facts, "arm64"), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Emulation, MissingForEmulation,
    testing::Values(Row{"Emulator", [](auto& f) { f.interpreter_exists = false; },
                        "install the package qemu-user-static"},
                    Row{"StaticEmulator", [](auto& f) { f.interpreter_is_static = false; },
                        "no statically linked program"},
                    Row{"Kernel", [](auto& f) { f.kernel = "6.6.1"; },
                        "systemctl restart systemd-binfmt"},
                    Row{"NamedEmulator",
                        [](auto& f) {
                          f.static_format = "/opt/qemu-%a";
                          f.interpreter = "/opt/qemu-aarch64";
                          f.interpreter_exists = false;
                          f.registered = true;
                        },
                        "there is no /opt/qemu-aarch64"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
