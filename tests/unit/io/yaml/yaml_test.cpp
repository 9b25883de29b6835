#include "io/yaml/yaml.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"
#include "tests/support/refused.h"

namespace {

using io::Json;
using io::parse_yaml;
using testing::HasSubstr;

Json value(const std::string& text) {
  return parse_yaml(text, "f.yaml").value;
}

std::string error_of(const std::string& text, const io::YamlLimits& limits = {}) {
  return support::refused(base::Errc::usage,
                          [&] { const auto parsed = parse_yaml(text, "f.yaml", limits); });
}

TEST(Yaml, PlainScalarsAreReadAsPyYamlReadsThem) {
  // The right-hand side is what yaml.safe_load of PyYAML 6.0 gives.
  const std::vector<std::pair<std::string, Json>> cases{
      {"24.04", 24.04},
      {"24.10", 24.1},
      {"12", 12U},
      {"-12", -12},
      {"+7", 7U},
      {"0", 0U},
      {"017", 15U},
      {"08", "08"},
      {"0o17", "0o17"},
      {"0x1F", 31U},
      {"0b101", 5U},
      {"1_000", 1000U},
      {"22:22", 1342U},
      {"1:30:00", 5400U},
      {"1:99", "1:99"},
      {"1:30.5", 90.5},
      {"1.", 1.0},
      {".5", 0.5},
      {"-.5", "-.5"},
      {"._5", "._5"},
      {"1_000.5", 1000.5},
      {"08.5", 8.5},
      {"5:30_", "5:30_"},
      {".", "."},
      {"1.5e+3", 1500.0},
      {"1.5e3", "1.5e3"},
      {"1e3", "1e3"},
      {"yes", true},
      {"On", true},
      {"TRUE", true},
      {"off", false},
      {"No", false},
      {"y", "y"},
      {"n", "n"},
      {"~", nullptr},
      {"null", nullptr},
      {"2024-01-05", "2024-01-05"},
      {"20240105.1", 20240105.1},
      {"1.2.3", "1.2.3"},
      {"-", Json::array({nullptr})},
      {"'12'", "12"},
      {"\"yes\"", "yes"},
      {"!!str 12", "12"},
      {"hwe-24.04", "hwe-24.04"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(value(text), expected) << text;
  }
}

TEST(Yaml, AliasesAndMergesAreExpanded) {
  const auto parsed = value(
      "base: &base {a: 1, b: 2}\n"
      "list: &l [x, y]\n"
      "one: {<<: *base, b: 3}\n"
      "two:\n  <<: [*base, {c: 4, a: 9}]\n"
      "three: [*l, *l]\n"
      "quoted: {'<<': 1}\n");
  EXPECT_EQ(parsed["one"], Json::parse(R"({"a":1,"b":3})"));
  EXPECT_EQ(parsed["two"], Json::parse(R"({"a":1,"b":2,"c":4})"));
  EXPECT_EQ(parsed["three"], Json::parse(R"([["x","y"],["x","y"]])"));
  EXPECT_EQ(parsed["quoted"], Json::parse(R"({"<<":1})"));
}

TEST(Yaml, AnAliasMayStandForAKey) {
  EXPECT_EQ(value("a: &k name\n*k : 1\n"), Json::parse(R"({"a":"name","name":1})"));
}

TEST(Yaml, EmptyInputIsNull) {
  EXPECT_EQ(value(""), nullptr);
  EXPECT_EQ(value("# nothing\n"), nullptr);
}

TEST(Yaml, PositionsAreKnown) {
  const auto yaml = parse_yaml("a:\n  - b: 1\n    c/d: [x, y]\n  - e:\n", "f.yaml");
  EXPECT_EQ(yaml.position("/a/0/b"), "f.yaml:2:8");
  EXPECT_EQ(yaml.position("/a/0/c~1d/1"), "f.yaml:3:14");
  EXPECT_EQ(yaml.position("/a/0/missing/deeper"), "f.yaml:2:5");
  EXPECT_EQ(yaml.position("/a/1/e"), "f.yaml:4:5") << "an empty value stands where its key stands";
  EXPECT_EQ(yaml.where("/a/0/b"), "f.yaml:2:8: /a/0/b");
}

TEST(Yaml, DuplicateKeysAreRefused) {
  EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"), "f.yaml:3:1: the key 'a' is there twice");
}

TEST(Yaml, TabsInTheIndentationAreRefused) {
  EXPECT_EQ(error_of("a:\n\tb: 1\n"), "f.yaml:2:1: a tab in the indentation: expected spaces");
  EXPECT_EQ(error_of("a:\n  - x\n \t- y\n"),
            "f.yaml:3:2: a tab in the indentation: expected spaces");
  EXPECT_EQ(error_of("a: [1,\n\t2]\n"), "f.yaml:2:1: a tab in the indentation: expected spaces");
}

TEST(Yaml, TabsInsideTextStay) {
  EXPECT_EQ(value("a: |\n  x\n  \ty\n")["a"], "x\n\ty\n");
  EXPECT_EQ(value("a: 1\t# one\n")["a"], 1U);
}

TEST(Yaml, SyntaxErrorsNameThePlace) {
  EXPECT_THAT(error_of("a: [1, 2\nb: 3\n"), HasSubstr("f.yaml:2:"));
  EXPECT_THAT(error_of("a: b: c\n"), HasSubstr("f.yaml:1:5: "));
  EXPECT_THAT(error_of("a: *nope\n"), HasSubstr("f.yaml:1:4: "));
  EXPECT_THAT(error_of("? [a]\n: 1\n"), HasSubstr("expected a scalar"));
  EXPECT_THAT(error_of("a: 1\n---\nb: 2\n"), HasSubstr("second document"));
  EXPECT_THAT(error_of("a: !!python/object:os.system x\n"), HasSubstr("is not supported"));
  EXPECT_THAT(error_of("a: .inf\n"), HasSubstr("f.yaml:1:4: the number '.inf' is not finite"));
  EXPECT_THAT(error_of("a: 99999999999999999999\n"), HasSubstr("does not fit into 64 bits"));
  EXPECT_THAT(error_of("a: &x 1\nb: {<<: *x}\n"),
              HasSubstr("f.yaml:1:4: '<<': expected a mapping"));
  EXPECT_THAT(error_of("\xff\n"), HasSubstr("f.yaml:1:1: not UTF-8"));
  EXPECT_THAT(error_of("a: \"\\N\"\n"), HasSubstr("f.yaml:1:4: an escape that cannot be read"));
}

TEST(Yaml, AnAliasBombIsRefusedInLittleTime) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < 12; ++level) {
    bomb += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [";
    for (int i = 0; i < 10; ++i) {
      bomb += (i == 0 ? "*a" : ", *a") + std::to_string(level - 1);
    }
    bomb += "]\n";
  }
  EXPECT_THAT(error_of(bomb, {.max_nodes = 10'000}), HasSubstr("once all aliases are expanded"));
  EXPECT_THAT(error_of("&a [*a]"), HasSubstr("an alias to what contains it"));
  EXPECT_THAT(error_of("a: &a {<<: *a}"), HasSubstr("an alias to what contains it"));
}

TEST(Yaml, DeepNestingIsRefused) {
  EXPECT_THAT(error_of(std::string(100, '[') + std::string(100, ']')), HasSubstr("nested deeper"));
  EXPECT_NE(error_of(std::string(100'000, '[')), "");
}

TEST(Yaml, KnowsWhereKeysStand) {
  const auto yaml =
      io::parse_yaml("a:\n  b/c:\n    d: 1\ne: &x {f: 2}\ng: *x\nh:\n  <<: *x\n", "f");
  EXPECT_EQ(yaml.entry("/a/b~1c"), "f:2:3: /a/b~1c");
  EXPECT_EQ(yaml.where("/a/b~1c"), "f:3:5: /a/b~1c");
  EXPECT_EQ(yaml.entry("/a"), "f:1:1: /a");
  EXPECT_EQ(yaml.entry("/g/f"), "f:4:8: /g/f");  // where its anchor stands
  EXPECT_EQ(yaml.entry("/h/f"), yaml.where("/h/f"));
  EXPECT_EQ(yaml.entry("/nosuch/key"), yaml.where("/nosuch/key"));
}

/// What PyYAML 6.0's safe_dump prints, recorded.
TEST(YamlWrite, EqualsPyYaml) {
  const io::Json value = {{"20240112", {{"labels", {"candidate", "stable"}}}},
                          {"empty list", io::Json::array()},
                          {"empty map", io::Json::object()},
                          {"com.ubuntu.maas:v3:boot:22.04", {{"x", nullptr}, {"y", "y"}}},
                          {"list", {1, 1.5, true, {{"a", 1}, {"b", {2, 3}}}, {4, {5}}}},
                          {"texts", {"2030-01-01", "2001-01-01 10:00:00",
                                     "yes",        "null",
                                     "~",          "",
                                     "1_000",      "0x1F",
                                     "1e3",        "1.5",
                                     "22:30",      "it's",
                                     "a: b",       "a:b",
                                     "a #b",       "a#b",
                                     "- a",        "-a",
                                     "#a",         "[a",
                                     " a",         "a ",
                                     "a:",         "?",
                                     "?a",         "%a",
                                     "@a",         "=",
                                     "<<",         "...",
                                     "---a",       "caf\u00e9 \u4e2d \U0001F600",
                                     "a\tb\nc",    "\"quoted\"",
                                     "!tag",       "&a"}}};
  EXPECT_EQ(io::to_yaml(value), R"('20240112':
  labels:
  - candidate
  - stable
com.ubuntu.maas:v3:boot:22.04:
  x: null
  y: y
empty list: []
empty map: {}
list:
- 1
- 1.5
- true
- a: 1
  b:
  - 2
  - 3
- - 4
  - - 5
texts:
- '2030-01-01'
- '2001-01-01 10:00:00'
- 'yes'
- 'null'
- '~'
- ''
- '1_000'
- '0x1F'
- 1e3
- '1.5'
- '22:30'
- it's
- 'a: b'
- a:b
- 'a #b'
- a#b
- '- a'
- -a
- '#a'
- '[a'
- ' a'
- 'a '
- 'a:'
- '?'
- ?a
- '%a'
- '@a'
- '='
- '<<'
- '...'
- '---a'
- "caf\xE9 \u4E2D \U0001F600"
- "a\tb\nc"
- '"quoted"'
- '!tag'
- '&a'
)");
  EXPECT_EQ(io::to_yaml(io::Json::object()), "{}\n");
}

/// Whatever is written reads back the same.
TEST(YamlWrite, ReadsBack) {
  const std::string letters = "ab019 :#-'\"\\[]{},&*!|>%@`?=~.\n\t_eEyYnN\xC3\xA9";
  std::uint32_t random = 1;
  const auto pick = [&](std::size_t count) {
    random = random * 1664525U + 1013904223U;
    return (random >> 8U) % count;
  };
  for (int round = 0; round < 3000; ++round) {
    auto value = io::Json::object();
    for (auto members = 1 + pick(3); members > 0; --members) {
      std::string text;
      for (auto length = pick(6); length > 0; --length) {
        const auto letter = pick(letters.size() - 1);
        text += letter == letters.size() - 2 ? letters.substr(letter) : letters.substr(letter, 1);
      }
      const auto key = base::cat("k", pick(9), text);
      switch (pick(4)) {
        case 0:
          value[key] = {{text, text}};
          break;
        case 1:
          value[key] = {text, {text, io::Json::array()}, io::Json::object()};
          break;
        default:
          value[key] = text;
      }
    }
    const auto yaml = io::to_yaml(value);
    ASSERT_EQ(io::parse_yaml(yaml, "f").value, value) << yaml;
  }
}

}  // namespace
