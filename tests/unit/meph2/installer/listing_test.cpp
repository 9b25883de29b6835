#include "meph2/installer/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/refused.h"

namespace {

using meph2::installer::is_version_name;
using meph2::installer::parse_directories;
using meph2::installer::parse_sums;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(Listing, ApachesOldIndex) {
  EXPECT_THAT(
      parse_directories(
          "<html><head><title>Index of /ubuntu/dists/trusty/main/installer-i386</title></head>\n"
          "<body><h1>Index of /</h1><pre><img src=\"/icons/blank.gif\" alt=\"Icon \"> "
          "<a href=\"?C=N;O=D\">Name</a>\n"
          "<img src=\"/icons/back.gif\" alt=\"[DIR]\"> <a "
          "href=\"/ubuntu/dists/trusty/main/\">Parent "
          "Directory</a>                             -   \n"
          "<img src=\"/icons/folder.gif\" alt=\"[DIR]\"> <a "
          "href=\"20101020ubuntu318/\">20101020ubuntu318/</a>      10-Apr-2014 13:37    -   \n"
          "<img src=\"/icons/folder.gif\" alt=\"[DIR]\"> <a href=\"current/\">current/</a>   "
          "10-Apr-2014 13:37    -   \n<hr></pre></body></html>\n"),
      ElementsAre("20101020ubuntu318", "current"));
}

TEST(Listing, ApachesTable) {
  EXPECT_THAT(parse_directories(
                  "<table><tr><td><a href=\"/debian/dists/\">Parent Directory</a></td></tr>\n"
                  "<tr><td valign=\"top\"><img src=\"/icons/folder.gif\" alt=\"[DIR]\"></td><td><a "
                  "HREF='20230607%2bdeb12u15/'>20230607+deb12u15/</a></td><td>2026-07-11 09:40  "
                  "</td></tr>\n"
                  "<tr><td><a href=\"SHA256SUMS\">SHA256SUMS</a></td></tr></table>"),
              ElementsAre("20230607+deb12u15"));
}

TEST(Listing, NginxAndPython) {
  EXPECT_THAT(parse_directories("<html>\r\n<head><title>Index of /</title></head>\r\n<body>\r\n"
                                "<h1>Index of /</h1><hr><pre><a href=\"../\">../</a>\r\n"
                                "<a href=\"20210731/\">20210731/</a>   14-Aug-2021 08:50      -\r\n"
                                "<a href=\"current/\">current/</a>   14-Aug-2021 08:50    -\r\n"
                                "</pre><hr></body>\r\n</html>\r\n"),
              ElementsAre("20210731", "current"));
  EXPECT_THAT(parse_directories("<ul>\n<li><a href=\"./20210731/\">20210731/</a></li>\n"
                                "<li><a href=\"current/\">current@</a></li>\n</ul>\n"),
              ElementsAre("20210731", "current"));
}

TEST(Listing, PlainNames) {
  EXPECT_THAT(parse_directories("20210731/\n20210731+deb11u1\r\ncurrent\n\n"),
              ElementsAre("20210731", "20210731+deb11u1", "current"));
}

TEST(Listing, LinksThatLeadElsewhereAreLeftOut) {
  EXPECT_THAT(parse_directories("<a href=\"../../etc/\">x</a><a href=\"%2e%2e/\">x</a>"
                                "<a href=\"http://example.com/20210731/\">x</a>"
                                "<a href=\"20210731%2fx/\">x</a><a href=\"20210731/\n<a href=\""),
              IsEmpty());
  EXPECT_THAT(parse_directories("a/b\n..\n"), IsEmpty());
  EXPECT_THAT(parse_directories(""), IsEmpty());
}

TEST(Listing, NamesOfVersionsBeginWithADate) {
  for (const auto* name : {"20101020ubuntu451.30", "20230607", "20230607+deb12u15",
                           "20210731~deb11u1", "20150422-1"}) {
    EXPECT_TRUE(is_version_name(name)) << name;
  }
  for (const auto* name : {"current", "2010102", "20101020451", "20101320ubuntu1", "20101032", "",
                           "19991231", "20101020 x", "20101020/x", "2010+020ubuntu1"}) {
    EXPECT_FALSE(is_version_name(name)) << name;
  }
  EXPECT_FALSE(is_version_name("20101020ubuntu" + std::string(60, '1')));
}

std::string digest(char digit, std::size_t length = 64) {
  std::string all(length, digit);
  return all;
}

TEST(Sums, PathsAndDigests) {
  EXPECT_THAT(parse_sums(digest('a') + "  ./MANIFEST\n" + digest('B') + " *netboot/mini.iso\n",
                         io::Algorithm::sha256, "sums"),
              ElementsAre(Pair("MANIFEST", digest('a')), Pair("netboot/mini.iso", digest('b'))));
  EXPECT_THAT(parse_sums(digest('a', 32) + "  x\n", io::Algorithm::md5, "sums"),
              ElementsAre(Pair("x", digest('a', 32))));
}

std::string error_of(const std::string& text) {
  return support::refused(base::Errc::untrusted,
                          [&] { parse_sums(text, io::Algorithm::sha256, "sums"); });
}

TEST(Sums, AnythingElseIsRefusedWithItsLine) {
  EXPECT_THAT(error_of("\n" + digest('a', 32) + "  x\n"), HasSubstr("sums:2: expected a digest"));
  EXPECT_THAT(error_of("<html>\n"), HasSubstr("sums:1: expected a digest"));
  EXPECT_THAT(error_of(digest('a') + " x\n"), HasSubstr("sums:1: expected"));
  EXPECT_THAT(error_of(digest('a') + "  ../x\n"), HasSubstr("sums:1: '../x'"));
  EXPECT_THAT(error_of(digest('a') + "  /etc/passwd\n"), HasSubstr("sums:1: '/etc/passwd'"));
  EXPECT_THAT(error_of(digest('a') + "  x\n" + digest('b') + "  ./x\n"),
              HasSubstr("sums:2: x is listed already"));
}

}  // namespace
