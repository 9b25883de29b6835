#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// As that of GoogleTest, but 77 where nothing failed and something was skipped: ctest counts it.
int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  const int failed = RUN_ALL_TESTS();
  const bool skipped = testing::UnitTest::GetInstance()->skipped_test_count() > 0;
  return failed == 0 && skipped ? 77 : failed;
}
