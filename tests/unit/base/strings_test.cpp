#include "base/strings.h"

#include <gtest/gtest.h>

namespace {

TEST(Strings, UrlsAreShownWithoutCredentials) {
  const auto shown = [](const char* text) { return base::redact_urls(text); };
  EXPECT_EQ(shown("fetch https://u:p@h/a?token=1: HTTP 403"), "fetch https://h/a?...: HTTP 403");
  EXPECT_EQ(shown("'http://h/a' and http://u@v@h"), "'http://h/a' and http://h");
  EXPECT_EQ(shown("no url: u:p@h"), "no url: u:p@h");
  // A quote in a password ends neither the URL nor the secret.
  EXPECT_EQ(shown("fetch 'http://u:pa'ss@h/a': refused"), "fetch 'http://h/a': refused");
  // The URL of a caching proxy has another one in its path.
  EXPECT_EQ(shown("http://cache:3142/https://u:p@h/a?t: x"),
            "http://cache:3142/https://h/a?...: x");
  EXPECT_EQ(shown("http://h/?next=http://u:p@i/ gone"), "http://h/?... gone");
}

}  // namespace
