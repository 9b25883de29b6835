#include "meph2/supply/soak.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace {

using std::chrono::hours;

base::Time time_of(const char* stamp) {
  return *base::parse_stamp(stamp);
}

bool soaked(const std::string& version, const std::string& updated, const char* now) {
  try {
    meph2::require_soaked(version, updated, hours(48), time_of(now));
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Errc::refused);
    EXPECT_THAT(error.what(), testing::HasSubstr(version));
    return false;
  }
  return true;
}

constexpr const char* noon_of_third = "Sat, 03 Jan 2026 12:00:00 +0000";

TEST(Soak, VersionsAreAsOldAsTheEndOfTheirDay) {
  EXPECT_EQ(meph2::end_of_version_day("20260101"), time_of("Fri, 02 Jan 2026 00:00:00 +0000"));
  EXPECT_EQ(meph2::end_of_version_day("20260101.12"), time_of("Fri, 02 Jan 2026 00:00:00 +0000"));
  EXPECT_EQ(meph2::end_of_version_day("20241231T0800"), time_of("Wed, 01 Jan 2025 00:00:00 +0000"));
  for (const char* name :
       {"", "2026010", "202601011", "20261301", "20260230", "samepaths", "v20260101"}) {
    EXPECT_EQ(meph2::end_of_version_day(name), std::nullopt) << name;
  }
}

TEST(Soak, CountsFromTheEndOfTheDayToTheSecond) {
  EXPECT_FALSE(soaked("20260101", "", noon_of_third));
  EXPECT_FALSE(soaked("20260101", "", "Sat, 03 Jan 2026 23:59:59 +0000"));
  EXPECT_TRUE(soaked("20260101", "", "Sun, 04 Jan 2026 00:00:00 +0000"));
}

TEST(Soak, ASourceThatDidNotChangeForSoLongIsProofEnough) {
  EXPECT_TRUE(soaked("samepaths", "Thu, 01 Jan 2026 12:00:00 +0000", noon_of_third));
  EXPECT_FALSE(soaked("samepaths", "Thu, 01 Jan 2026 12:00:01 +0000", noon_of_third));
  EXPECT_TRUE(soaked("20260101", "Thu, 01 Jan 2026 12:00:00 +0000", noon_of_third));
  EXPECT_FALSE(soaked("20260101", "Wed, 31 Dec 2025 12:00:00 +0000", noon_of_third));
}

TEST(Soak, WhatCannotBeKnownIsYoung) {
  EXPECT_FALSE(soaked("samepaths", "", noon_of_third));
  EXPECT_FALSE(soaked("samepaths", "yesterday", noon_of_third));
  EXPECT_FALSE(soaked("20990101", "", noon_of_third));
  EXPECT_FALSE(soaked("20990101", "Thu, 01 Jan 2099 00:00:00 +0000", noon_of_third));
}

}  // namespace
