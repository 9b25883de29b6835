#include "sstream/query/python_text.h"

#include <clocale>

#include <gtest/gtest.h>

namespace {

using sstream::python_ascii;
using sstream::python_pretty;
using sstream::python_repr;

/// All expectations are what Python 3.11 prints.
class PythonText : public testing::Test {
 protected:
  PythonText() { std::setlocale(LC_CTYPE, "C.UTF-8"); }
};

TEST_F(PythonText, QuotesAsReprDoes) {
  EXPECT_EQ(python_repr("plain text"), "'plain text'");
  EXPECT_EQ(python_repr(""), "''");
  EXPECT_EQ(python_repr("it's"), "\"it's\"");
  EXPECT_EQ(python_repr("y\"q'"), "'y\"q\\''");
  EXPECT_EQ(python_repr("a\\b\n\r\t\x1b\x7f"), "'a\\\\b\\n\\r\\t\\x1b\\x7f'");
  EXPECT_EQ(python_repr("caf\u00e9 \u4e2d \U0001F600"), "'caf\u00e9 \u4e2d \U0001F600'");
  EXPECT_EQ(python_repr("\u00a0\u00ad\u200b\u2028\ue000\U000E0001"),
            "'\\xa0\\xad\\u200b\\u2028\\ue000\\U000e0001'");
  EXPECT_EQ(python_ascii("caf\u00e9 \u4e2d \U0001F600"), "'caf\\xe9 \\u4e2d \\U0001f600'");
}

TEST_F(PythonText, LaysOutAsPprintDoes) {
  EXPECT_EQ(python_pretty({{"b", "2"}, {"a", "1"}}), "{'a': '1', 'b': '2'}");
  std::string words;
  std::string lines;
  for (int i = 0; i < 12; ++i) {
    words += "some words ";
    lines += i < 4 ? "line one\nline two " : "";
  }
  EXPECT_EQ(python_pretty({{"content_id", "x"},
                           {"a b", words},
                           {"n", "it's"},
                           {"z", "y\"q'"},
                           {"u", "\u00e9\x1b\u00a0"},
                           {"long", std::string(90, 'x')},
                           {"l2", lines + lines},
                           {"e", ""}}),
            R"({'a b': 'some words some words some words some words some words some words '
        'some words some words some words some words some words some words ',
 'content_id': 'x',
 'e': '',
 'l2': 'line one\n'
       'line two line one\n'
       'line two line one\n'
       'line two line one\n'
       'line two line one\n'
       'line two line one\n'
       'line two line one\n'
       'line two line one\n'
       'line two ',
 'long': ')" + std::string(90, 'x') +
                R"(',
 'n': "it's",
 'u': 'é\x1b\xa0',
 'z': 'y"q\''})");
}

}  // namespace
