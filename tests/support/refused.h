#pragma once

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "base/error.h"

namespace support {

/// The error that `work` ends in. Where it ends in none, the test fails.
inline base::Error refused(const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was refused";
  return {base::Errc::internal, "nothing was refused"};
}

/// Its message; the test fails as well where its code is another one.
inline std::string refused(base::Errc code, const std::function<void()>& work) {
  const auto error = refused(work);
  EXPECT_EQ(error.code(), code) << error.what();
  return error.what();
}

/// The same where it may be accepted, which is said then.
inline std::string verdict(base::Errc code, const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "accepted";
}

}  // namespace support
