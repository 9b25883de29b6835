#include "io/json/json.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"

namespace {

using io::Json;
using testing::HasSubstr;
using testing::StartsWith;

/// The document through a file and the streaming reader, rebuilt.
Json by_file(std::string_view text, const io::JsonLimits& limits = {}) {
  const base::TempDir dir("json");
  auto file = base::open_file(dir.path() + "/f", O_RDWR | O_CREAT);
  file.write(text);
  return io::read_json(file, limits);
}

std::string error_of(std::string_view text, const io::JsonLimits& limits = {}) {
  std::string message;
  try {
    io::parse_json(text, "f.json", limits);
    ADD_FAILURE() << "accepted: " << text.substr(0, 80);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Errc::untrusted);
    message = error.what();
  }
  try {
    by_file(text, limits);
    ADD_FAILURE() << "accepted from a file: " << text.substr(0, 80);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Errc::untrusted);
    const std::string other = error.what();
    const auto where = message.find(".json:");
    if (where != std::string::npos) {
      EXPECT_THAT(other, HasSubstr(message.substr(where + 6)));
    }
  }
  return message;
}

TEST(JsonParse, AcceptsWhatPythonAccepts) {
  const std::string text =
      R"({"a": [1, -2, 1.5, true, null, "xé\u00e9\ud83d\ude00"], "b": {}, "": -0})";
  const Json tree = io::parse_json(text, "f");
  EXPECT_EQ(tree, by_file(text));
  EXPECT_EQ(tree["a"][5], "x\xC3\xA9\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(tree[""], 0);
  EXPECT_EQ(io::parse_json(" \n\"s\"\n", "f"), "s");
  EXPECT_EQ(io::parse_json("18446744073709551615", "f").get<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(io::parse_json("-9223372036854775808", "f").get<std::int64_t>(), INT64_MIN);
}

TEST(JsonParse, NamesTheSpotAndTheReason) {
  EXPECT_EQ(error_of("{\"a\": 1,\n \"b\": {\"c/~\": 2, \"c/~\": 3}}"),
            "f.json:2:22: /b/c~1~0: duplicate key");
  EXPECT_THAT(error_of("{\"a\": [1,\n 2, nul]}"),
              StartsWith("f.json:2:8: /a/2: syntax error while parsing value - invalid literal"));
  EXPECT_THAT(error_of("\xEF\xBB\xBF{}"), StartsWith("f.json:1:1: byte order mark"));
  EXPECT_THAT(error_of("{} x"), StartsWith("f.json:1:4: syntax error"));
  EXPECT_THAT(error_of("{\"n\": [[1e999]]}"), HasSubstr(": /n/0/0: number out of range"));
  EXPECT_THAT(error_of("{\"n\": 18446744073709551616}"), HasSubstr(": /n: integer beyond 64 bits"));
  EXPECT_THAT(error_of("[-9223372036854775809]"), HasSubstr(": /0: integer beyond 64 bits"));
  EXPECT_THAT(error_of("[100000000000000000000000000]"), HasSubstr("integer beyond 64 bits"));
}

TEST(JsonParse, RefusesWhatIsNotJson) {
  const std::vector<std::string> bad = {"",
                                        " ",
                                        "\n",
                                        "nul",
                                        "tru",
                                        "{",
                                        "[",
                                        "\"",
                                        "{\"a\"",
                                        "{\"a\":",
                                        "{\"a\":1",
                                        "{\"a\":1,}",
                                        "[1,]",
                                        "[1 2]",
                                        "{1:2}",
                                        "{'a':1}",
                                        "// c\n{}",
                                        "/* c */{}",
                                        "{}{}",
                                        "[]]",
                                        "NaN",
                                        "Infinity",
                                        "-Infinity",
                                        "[NaN]",
                                        "01",
                                        "+1",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "0x1",
                                        "-",
                                        "\"\t\"",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\ud800\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\\udc00\"",
                                        "\"\xC0\xAF\"",
                                        "\"\xED\xA0\x80\"",
                                        "\"\xF5\x80\x80\x80\"",
                                        "\"\xE9\"",
                                        "\"\x80\"",
                                        "\xFF\xFE{\0}\0",
                                        "<html></html>",
                                        std::string("{}\0", 3),
                                        std::string("\0", 1),
                                        "\"a\nb\""};
  for (const auto& text : bad) {
    error_of(text);
  }
}

TEST(JsonParse, RefusesEveryTruncation) {
  const std::string text = R"({"a": [1.5, "x\u00e9", {"b": [true, null]}], "c": -12e-3})";
  for (std::size_t length = 0; length < text.size(); ++length) {
    error_of(text.substr(0, length));
  }
  EXPECT_NO_THROW(io::parse_json(text, "f"));
}

TEST(JsonParse, FindsDuplicatesHoweverManyKeys) {
  std::string text = "{";
  for (int i = 0; i < 5000; ++i) {
    text += base::cat("\"k", i, "\": {\"a\": 1, \"b\": 2},");
  }
  EXPECT_NO_THROW(io::parse_json(text + "\"last\": 1}", "f"));
  for (const char* key : {"k0", "k23", "k24", "k25", "k4999"}) {
    EXPECT_THAT(error_of(text + "\"" + key + "\": 1}"), HasSubstr("duplicate key"));
  }
  // The same key in other objects is none.
  EXPECT_NO_THROW(
      io::parse_json(R"({"a": {"a": {"a": [{"a": 1}, {"a": 1}]}}, "b": {"a": 1}})", "f"));
}

TEST(JsonParse, LimitsDepthAndSize) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(io::parse_json(nested(64), "f"));
  EXPECT_NO_THROW(by_file(nested(64)));
  EXPECT_THAT(error_of(nested(65)), HasSubstr("nested deeper than 64"));
  EXPECT_THAT(error_of(nested(100000)), HasSubstr("nested deeper than 64"));
  EXPECT_THAT(error_of(std::string(100000, '[')), HasSubstr("nested deeper than 64"));
  io::JsonLimits limits;
  limits.max_bytes = 10;
  EXPECT_NO_THROW(by_file("[1, 2, 34]", limits));
  EXPECT_THAT(error_of("[1, 2, 345]", limits), HasSubstr("larger than 10 bytes"));
}

TEST(JsonParse, ErrorsStayShortAndClean) {
  const auto message = error_of("[\"" + std::string(1000000, 'x'));
  EXPECT_LT(message.size(), 1000U);
  const auto escaped = error_of("{\"\\u001b[31m\": {\"a\": 1, \"a\": 2}}");
  EXPECT_EQ(escaped.find('\x1b'), std::string::npos);
}

/// Positions stay right past the reader's buffer.
TEST(JsonVisit, KnowsLineAndColumnFarIntoAFile) {
  for (const std::size_t filler : {262130U, 262136U, 262140U, 262143U, 262144U, 262145U, 600000U}) {
    std::string text = "[\n1,\n\"";
    text += std::string(filler, 'x') + "\",\n2,\n tru_]";
    EXPECT_THAT(error_of(text), StartsWith("f.json:5:5: /3: ")) << filler;
    EXPECT_THAT(error_of("[\"" + std::string(filler, 'x') + "\", tru_]"),
                StartsWith(base::cat("f.json:1:", filler + 9, ": /1: ")))
        << filler;
  }
}

/// Our scanner and nlohmann's parser judge alike, whatever is changed in a document.
TEST(JsonParse, AgreesWithNlohmannOnAnything) {
  const std::string good =
      R"({"a": [1, -2, 1.5e3, -0, 0.25, true, false, null, 18446744073709551615, 1e-400],
          "b\u00e9\ud83d\ude00\n\/": {"c": "caf\u00e9", "d": {}, "e": [], "f": "x\\y\"z"},
          "g": [[[{"h": "\b\f\r\t\u0000"}]]], "café": "😀"})";
  ASSERT_EQ(io::parse_json(good, "f"), Json::parse(good));
  const std::string letters = "{}[]\":,\\/ \n\t0123456789+-.eEtrufalsn\x01\x7F\x80\xC3\xED\xFF";
  std::mt19937 random(4);
  unsigned refused = 0;
  for (int round = 0; round < 20000; ++round) {
    auto text = good;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const auto at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = letters[random() % letters.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 4);
          break;
        default:
          text.insert(at, 1, letters[random() % letters.size()]);
      }
    }
    const auto theirs = Json::parse(text, nullptr, false);
    try {
      ASSERT_EQ(io::parse_json(text, "f"), theirs) << text;
    } catch (const base::Error& error) {
      const std::string reason = error.what();
      ASSERT_THAT(reason, testing::Not(HasSubstr("changed while"))) << text;
      ASSERT_TRUE(theirs.is_discarded() || reason.find("duplicate key") != std::string::npos ||
                  reason.find("beyond 64 bits") != std::string::npos)
          << text << reason;
      ++refused;
    }
  }
  EXPECT_GT(refused, 5000U);
  EXPECT_LT(refused, 19000U);
}

class Recorder : public io::JsonEvents {
 public:
  void start_object() override { log += "{"; }

  void key(std::string& name) override { log += name + ":"; }

  void end_object() override { log += "}"; }

  void start_array() override { log += "["; }

  void end_array() override { log += "]"; }

  void scalar(Json&& value) override {
    log += value.dump() + ",";
    if (value == "stop") {
      throw std::runtime_error("stopped");
    }
  }

  std::string log;
};

TEST(JsonVisit, TellsEventsInOrderAndCanBeStopped) {
  const base::TempDir dir("json");
  auto file = base::open_file(dir.path() + "/f", O_RDWR | O_CREAT);
  file.write(R"({"a": [1, {"b": "x"}], "c": null, "d": "stop", "e": 1})");
  Recorder recorder;
  EXPECT_THROW(io::visit_json(file, recorder), std::runtime_error);
  EXPECT_EQ(recorder.log, R"({a:[1,{b:"x",}]c:null,d:"stop",)");
}

TEST(JsonWrite, EqualsPython) {
  const auto recorded = base::read_file(FIXTURES "/json/python-layout.json");
  EXPECT_EQ(io::to_text(io::parse_json(recorded, "f")), recorded);
}

TEST(JsonWrite, HandsOverPieces) {
  Json list = Json::array();
  for (int i = 0; i < 100000; ++i) {
    list.push_back("some text");
  }
  std::string all;
  std::size_t largest = 0;
  io::write_json(list, [&](std::string_view piece) {
    largest = std::max(largest, piece.size());
    all += piece;
  });
  EXPECT_LT(largest, 70000U);
  EXPECT_EQ(all, io::to_text(list));
  EXPECT_EQ(io::parse_json(all, "f"), list);
}

TEST(JsonWrite, RefusesWhatJsonCannotSay) {
  EXPECT_THROW(io::to_text(Json(std::nan(""))), base::Error);
  EXPECT_THROW(io::to_text(Json(HUGE_VAL)), base::Error);
  EXPECT_THROW(io::to_text(Json("\xE9")), base::Error);
  EXPECT_THROW(io::to_text(Json{{"\xC0\xAF", 1}}), base::Error);
}

TEST(JsonTypes, HaveNames) {
  EXPECT_STREQ(io::type_name(Json::object()), "object");
  EXPECT_STREQ(io::type_name(Json::array()), "array");
  EXPECT_STREQ(io::type_name(Json("x")), "string");
  EXPECT_STREQ(io::type_name(Json(1)), "integer");
  EXPECT_STREQ(io::type_name(Json(1U)), "integer");
  EXPECT_STREQ(io::type_name(Json(1.5)), "number");
  EXPECT_STREQ(io::type_name(Json(true)), "boolean");
  EXPECT_STREQ(io::type_name(Json()), "null");
}

/// Trees of any shape, from strings that clearsigning is touchy about.
class RandomTree {
 public:
  explicit RandomTree(unsigned seed) : random_(seed) {}

  Json value(unsigned depth) {
    switch (pick(depth == 0 ? 5 : 8)) {
      case 0:
        return text();
      case 1:
        return Json(static_cast<std::int64_t>(random_()) << 3U);
      case 2:
        return Json(std::ldexp(static_cast<double>(random_()), static_cast<int>(pick(200)) - 100));
      case 3:
        return Json(pick(2) == 1);
      case 4:
        return {};
      case 5: {
        Json list = Json::array();
        for (unsigned n = pick(4); n > 0; --n) {
          list.push_back(value(depth - 1));
        }
        return list;
      }
      default: {
        Json object = Json::object();
        for (unsigned n = pick(5); n > 0; --n) {
          object[text()] = value(depth - 1);
        }
        return object;
      }
    }
  }

 private:
  unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }

  std::string text() {
    static const std::vector<std::string> bits = {"-",
                                                  "From ",
                                                  " ",
                                                  "\t",
                                                  "\n",
                                                  "\r",
                                                  "\n- x",
                                                  "\nFrom me",
                                                  "\\",
                                                  "\"",
                                                  "\xC2\x85",
                                                  "\xE2\x80\xA8",
                                                  "\xF0\x9F\x98\x80",
                                                  std::string("\0", 1),
                                                  "a",
                                                  "key",
                                                  "----BEGIN PGP",
                                                  "\x7f"};
    std::string out;
    for (unsigned n = pick(4); n > 0; --n) {
      out += bits[pick(static_cast<unsigned>(bits.size()))];
    }
    return out;
  }

  std::mt19937 random_;
};

/// docs/format.md 7.1, D25: clearsigning must not need to change, nor a mail system want to.
TEST(JsonWrite, IsFitForClearsigning) {
  for (unsigned seed = 0; seed < 20000; ++seed) {
    const Json tree = RandomTree(seed).value(4);
    const auto text = io::to_text(tree);
    ASSERT_EQ(io::parse_json(text, "f"), tree) << text;
    ASSERT_EQ(text.back(), '\n');
    ASSERT_TRUE(std::all_of(text.begin(), text.end(),
                            [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
    auto lines = base::split(text, '\n');
    lines.pop_back();
    for (const auto& line : lines) {
      // A document that is a bare negative number is the one thing that begins so; no file of ours.
      ASSERT_TRUE(!line.starts_with("-") || tree.is_number()) << text;
      ASSERT_FALSE(line.starts_with("From ")) << text;
      ASSERT_FALSE(line.empty()) << text;
      ASSERT_NE(line.back(), ' ') << text;
    }
  }
}

}  // namespace
