#include "sstream/format/checksums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "sstream/format/product_tree.h"
#include "tests/support/refused.h"

namespace {

using io::Json;
using sstream::Checksums;
using testing::AllOf;
using testing::HasSubstr;

// Of "abc".
const std::string md5 = "900150983cd24fb0d6963f7d28e17f72";
const std::string sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const std::string sha512 =
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feeb"
    "bd"
    "454d4423643ce80e2a9ac94fa54ca49f";

Checksums of(const Json& item, bool allow_md5 = false, const Json& product = Json::object()) {
  const sstream::Pedigree pedigree{"p", "v", "i"};
  const Json none = Json::object();
  return Checksums::of(sstream::Item(pedigree, none, product, none, item), allow_md5);
}

std::string refusal(const Json& item, bool allow_md5 = false) {
  return support::refused(base::Errc::untrusted, [&] { of(item, allow_md5); });
}

/// docs/format.md 2.6, D13: a string is a size.
TEST(Checksums, TakeASizeOnlyIfItIsOne) {
  const auto with_size = [](const char* size) {
    Json item{{"sha256", sha256}};
    item["size"] = io::parse_json(size, "size");
    return item;
  };
  EXPECT_EQ(of(with_size("12")).size, 12U);
  EXPECT_EQ(of(with_size("\"12\"")).size, 12U);
  EXPECT_EQ(of(with_size("0")).size, 0U);
  EXPECT_EQ(of(with_size("9007199254740993")).size, 9007199254740993U);
  EXPECT_EQ(of(with_size("9223372036854775807")).size, 9223372036854775807U);
  for (const char* bad : {"-1",
                          "1.5",
                          "1e3",
                          "1.0",
                          "true",
                          "null",
                          "[]",
                          "{}",
                          "\"\"",
                          "\"-0\"",
                          "\"+1\"",
                          "\"1.5\"",
                          "\"1e3\"",
                          "\" 1\"",
                          "\"1\\n\"",
                          "\"0x10\"",
                          "9223372036854775808",
                          "18446744073709551615",
                          "\"9223372036854775808\"",
                          "\"99999999999999999999\"",
                          "\"ten\""}) {
    EXPECT_THAT(refusal(with_size(bad)),
                AllOf(HasSubstr("p/v/i: size is "), HasSubstr("number of bytes")))
        << bad;
  }
  EXPECT_EQ(refusal(Json{{"sha256", sha256}}), "p/v/i: size is missing");
}

/// docs/format.md 2.6, D14, D15.
TEST(Checksums, TakeOnlyWellFormedStrongDigests) {
  const auto item = [](const char* name, const Json& value) {
    Json node{{"size", 3}, {"sha256", sha256}};
    node[name] = value;
    return node;
  };
  std::string upper = sha256;
  std::transform(upper.begin(), upper.end(), upper.begin(), ::toupper);
  EXPECT_EQ(of(item("sha256", upper)).sha256, sha256);
  for (const auto& bad :
       {Json(""), Json(sha256.substr(1)), Json(sha256 + "0"), Json(sha256 + "\n"), Json(), Json(5),
        Json("g" + sha256.substr(1)), Json(sha512), Json(Json::array({sha256}))}) {
    EXPECT_THAT(refusal(item("sha256", bad)), HasSubstr("p/v/i: sha256 is ")) << bad;
  }
  EXPECT_EQ(of(item("md5", sha256)).md5, "");  // noise beside a digest that counts
  EXPECT_THAT(refusal(Json{{"size", 3}, {"md5", "short"}}, true), HasSubstr("md5 is "));
  EXPECT_THAT(refusal(item("sha512", sha256)), HasSubstr("sha512 is "));
  EXPECT_THAT(refusal(Json{{"size", 3}}), HasSubstr("no checksum"));
  EXPECT_THAT(refusal(Json{{"size", 3}, {"sha1", "x"}}, true), HasSubstr("no checksum"));
  EXPECT_THAT(refusal(Json{{"size", 3}, {"md5", md5}}), HasSubstr("only an md5"));
  EXPECT_EQ(of(Json{{"size", 3}, {"md5", md5}}, true).md5, md5);
  EXPECT_EQ(of(Json{{"size", 3}, {"sha512", sha512}}).strongest().second, sha512);
  EXPECT_EQ(of(Json{{"size", 3}, {"sha256", sha256}, {"md5", md5}}).strongest().second, sha256);
  EXPECT_THROW(static_cast<void>(Checksums().strongest()), base::Error);
}

/// docs/format.md 2.6: what is inherited counts as what is the item's own.
TEST(Checksums, AreInherited) {
  const auto sums = of(Json{{"size", 3}}, false, Json{{"sha256", sha256}});
  EXPECT_EQ(sums.sha256, sha256);
  EXPECT_THROW(of(Json{{"size", 3}, {"sha256", nullptr}}, false, Json{{"sha256", sha256}}),
               base::Error);
}

std::string verdict(const Checksums& expected, const std::string& content) {
  const base::TempDir dir("sums");
  auto file = base::open_file(dir.path() + "/f", O_RDWR | O_CREAT);
  file.write(content);
  std::string by_file = "good";
  try {
    sstream::verify_file(file, expected);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Errc::untrusted);
    by_file = base::replace_all(error.what(), file.name(), "F");
  }
  std::string by_pieces = "good";
  try {
    sstream::ChecksumVerifier verifier(expected);
    for (const char c : content) {
      verifier.update({&c, 1});
    }
    verifier.verify("F");
  } catch (const base::Error& error) {
    by_pieces = error.what();
  }
  EXPECT_EQ(by_file, by_pieces);
  return by_pieces;
}

/// All that are given, not only the strongest.
TEST(Checksums, AreAllVerified) {
  const std::string zeros(64, '0');
  EXPECT_EQ(verdict({3, md5, sha256, sha512}, "abc"), "good");
  EXPECT_EQ(verdict({3, "", sha256, ""}, "abc"), "good");
  EXPECT_EQ(verdict({3, md5, zeros, sha512}, "abc"),
            "F: sha256 is " + sha256 + ", must be " + zeros);
  EXPECT_THAT(verdict({3, zeros.substr(32), sha256, sha512}, "abc"), HasSubstr("F: md5 is"));
  EXPECT_THAT(verdict({3, md5, sha256, zeros + zeros}, "abc"), HasSubstr("F: sha512 is"));
  EXPECT_EQ(verdict({3, md5, sha256, sha512}, "abcd"), "F: 4 bytes, must be 3");
  EXPECT_EQ(verdict({3, md5, sha256, sha512}, "ab"), "F: 2 bytes, must be 3");
  EXPECT_THAT(verdict({3, md5, sha256, sha512}, "abd"), HasSubstr("F: sha512 is"));
}

}  // namespace
