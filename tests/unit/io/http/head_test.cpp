#include "io/http/head.h"

#include <gtest/gtest.h>

namespace {

io::ResponseHead head_of(std::initializer_list<const char*> lines) {
  io::ResponseHead head;
  for (const auto* line : lines) {
    head.take_line(line);
  }
  return head;
}

TEST(ContentRange, TakesOnlyWholeOnes) {
  const auto range = io::parse_content_range("bytes 10-19/30");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 10U);
  EXPECT_EQ(range->last, 19U);
  EXPECT_EQ(range->total, 30U);
  EXPECT_FALSE(io::parse_content_range("bytes 0-0/*")->total);
  for (const auto* bad :
       {"", "bytes", "bytes ", "bytes 10-19", "bytes */30", "bytes 10-/30", "bytes -19/30",
        "bytes 19-10/30", "bytes 10-30/30", "bytes 10-19/", "bytes 10-19/x", "chapters 10-19/30",
        "bytes 10/19-30", "bytes  10-19/30", "bytes 10-18446744073709551616/*", "bytes -1-2/3"}) {
    EXPECT_FALSE(io::parse_content_range(bad)) << bad;
  }
}

TEST(ResponseHead, ReadsTheFieldsWeLookAt) {
  const auto head = head_of({"HTTP/1.1 206 Partial Content\r\n", "content-LENGTH: 10\r\n",
                             "ETag:  \"x\" \r\n", "Last-Modified: today\r\n",
                             "Content-Range: bytes 0-9/20\r\n", "Location: /x\r\n", "\r\n"});
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(head.length, 10U);
  EXPECT_EQ(head.strong_etag(), "\"x\"");
  EXPECT_EQ(head.last_modified, "today");
  EXPECT_EQ(head.location, "/x");
  EXPECT_TRUE(head.range);
  EXPECT_TRUE(head.fault.empty());
  EXPECT_EQ(head.encoding, "");
}

TEST(ResponseHead, AStatusLineStartsAnew) {
  const auto head = head_of({"HTTP/1.1 302 Found", "Location: /x", "Content-Length: 3",
                             "HTTP/2 200 ", "Content-Length: 4"});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.length, 4U);
  EXPECT_EQ(head.location, "");
  EXPECT_TRUE(head.fault.empty());
}

TEST(ResponseHead, FaultsOfTheLengthC5) {
  EXPECT_FALSE(
      head_of({"HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 4"}).fault.empty());
  EXPECT_TRUE(head_of({"HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 3"}).fault.empty());
  for (const auto* bad : {"Content-Length: -1", "Content-Length: ", "Content-Length: 1,1",
                          "Content-Length: 99999999999999999999", "Content-Length: 0x10"}) {
    EXPECT_FALSE(head_of({"HTTP/1.1 200 OK", bad}).fault.empty()) << bad;
  }
}

TEST(ResponseHead, OnlyStrongTagsResume) {
  for (const auto* weak : {"ETag: W/\"x\"", "ETag: x", "ETag: \"", "ETag: \"\"", "ETag:"}) {
    EXPECT_EQ(head_of({"HTTP/1.1 200 OK", weak}).strong_etag(), "") << weak;
  }
}

TEST(ResponseHead, SurvivesNonsense) {
  for (const auto* line : {"HTTP/", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 abc", ":", "", "\r\n"}) {
    EXPECT_EQ(head_of({line}).status, 0) << line;
  }
}

}  // namespace
