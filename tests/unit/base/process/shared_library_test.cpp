#include "base/process/shared_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(SharedLibrary, HandsOutFunctionsByTheirNames) {
  const base::SharedLibrary math("libm.so.6", "this test");
  double (*absolute)(double) = math.symbol("fabs");
  EXPECT_EQ(absolute(-3.0), 3.0);
}

TEST(SharedLibrary, SaysWhatIsMissingAndWhoNeedsIt) {
  EXPECT_THAT([] { base::SharedLibrary("libnot-there.so.1", "this test"); },
              ThrowsMessage<base::Error>(HasSubstr("this test needs libnot-there.so.1: ")));
  const base::SharedLibrary math("libm.so.6", "this test");
  EXPECT_THAT([&] { math.symbol("not_there"); },
              ThrowsMessage<base::Error>(HasSubstr("libm.so.6 cannot be used: ")));
}

}  // namespace
