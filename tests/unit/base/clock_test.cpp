#include "base/clock.h"

#include <gtest/gtest.h>

namespace {

using base::Time;
using std::chrono::seconds;

TEST(Clock, StampsAreThoseOfTheEstablishedTools) {
  EXPECT_EQ(base::format_stamp(Time(seconds(0))), "Thu, 01 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(base::format_stamp(Time(seconds(1704067200))), "Mon, 01 Jan 2024 00:00:00 +0000");
}

TEST(Clock, ParsesWhatItWritesAndOtherZones) {
  for (const std::int64_t value : {0L, 951782399L, 1704067200L, 4102444800L}) {
    EXPECT_EQ(base::parse_stamp(base::format_stamp(Time(seconds(value)))), Time(seconds(value)));
  }
  EXPECT_EQ(base::parse_stamp("Mon, 01 Jan 2024 02:00:00 +0200"), Time(seconds(1704067200)));
  EXPECT_EQ(base::parse_stamp("2024-01-01T00:00:00Z"), Time(seconds(1704067200)));
}

TEST(Clock, RefusesOtherStamps) {
  for (const char* text : {"", "Mon, 01 Jan 2024 00:00:00 GMT", "Mon, 32 Jan 2024 00:00:00 +0000",
                           "Mon, 01 Foo 2024 00:00:00 +0000", "01 Jan 2024 00:00:00 +0000",
                           "1704067200", "Mon, 01 Jan 2024 24:00:00 +0000",
                           "Thu, 01 Jan 0 00:01:00 +1615", "Fri, 31 Dec 9999 23:59:00 -1200"}) {
    EXPECT_FALSE(base::parse_stamp(text)) << text;
  }
}

TEST(Clock, DurationsAreStrict) {
  EXPECT_EQ(base::parse_duration("3d"), seconds(3 * 86400));
  EXPECT_EQ(base::parse_duration("1d12h"), seconds(36 * 3600));
  for (const char* text :
       {"", "3", "3w", "5D", "-1d", "1.5d", "7 d", "1h1d", "1d1d", "abc", "99999999999d"}) {
    EXPECT_FALSE(base::parse_duration(text)) << text;
  }
}

}  // namespace
