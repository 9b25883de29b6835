#pragma once

#include <random>
#include <string>
#include <vector>

#include "base/strings.h"

namespace unit {

/// Products documents of any shape, mostly good, some not.
class RandomProducts {
 public:
  explicit RandomProducts(unsigned seed) : random_(seed) {}

  std::string document() {
    std::string text = "{\"format\": \"products:1.0\", \"content_id\": \"c\"";
    append_tags(text);
    text += ", \"products\": " + level({"versions", "items", ""});
    append_tags(text, "z");
    return text + "}";
  }

 private:
  unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }

  std::string value() {
    static const std::vector<std::string> values = {
        "\"x\"", "\"\"",    "5",       "1.5",      "true",  "null",
        "[]",    "[1, {}]", "\"a/b\"", "\"../a\"", "\"y\"", "{\"versions\": {\"items\": 1}}"};
    return values[pick(static_cast<unsigned>(values.size()))];
  }

  void append_tags(std::string& text, const std::string& prefix = "") {
    for (const char* key : {"a", "b", "path", "size", "products_x"}) {
      if (pick(3) == 0) {
        text += base::cat(", \"", prefix, key, "\": ", value());
      }
    }
  }

  /// An object of children, each with tags around their own children.
  std::string level(std::vector<std::string> below) {
    if (pick(200) == 0) {
      return value();
    }
    const std::string next = below.front();
    below.erase(below.begin());
    std::string text = "{";
    for (unsigned i = 0, count = pick(4); i < count; ++i) {
      text += base::cat(i == 0 ? "" : ", ", "\"", "k", i, "\": ");
      if (pick(200) == 0) {
        text += value();
        continue;
      }
      std::string node = "{\"t\": 1";
      append_tags(node);
      if (!next.empty() && pick(10) != 0) {
        node += base::cat(", \"", next, "\": ", level(below));
      }
      append_tags(node, "z");
      text += node + "}";
    }
    return text + "}";
  }

  std::mt19937 random_;
};

}  // namespace unit
