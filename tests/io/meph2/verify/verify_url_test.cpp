#include <fcntl.h>

#include "tests/io/meph2/verify/world.h"
#include "tests/support/http_server.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using support::GpgHome;
using testing::ElementsAre;
using testing::IsEmpty;

class VerifyUrl : public support::VerifyWorld {
 protected:
  VerifyUrl() {
    io::HttpOptions quick;
    quick.tries = 1;
    http = io::make_http_client(quick);
  }

  meph2::VerifyResult verify_served(const std::string& name) {
    server.offer_directory("/s/", world.path(name));
    auto asked = of(name);
    asked.target = server.url("/s");
    asked.trust.keyring = keyring;
    asked.data.read = reads_data;
    const sstream::Context context{world.clock, world.log, world.progress, *http, {}};
    return meph2::verify(asked, context);
  }

  support::HttpServer server;
  std::unique_ptr<io::HttpClient> http;
  std::string keyring;
  bool reads_data = true;
};

TEST_F(VerifyUrl, AServedStreamIsReadWhole) {
  const GpgHome home;
  const auto key = home.make_key();
  options.sign = true;
  publish("repo", files(3));
  keyring = world.write("keyring.gpg", home.export_keys({key}));
  const auto result = verify_served("repo");
  EXPECT_THAT(problems(result), IsEmpty());
  EXPECT_TRUE(result.signatures_checked);
  EXPECT_EQ(result.data.read, 6U);
}

TEST_F(VerifyUrl, NamesWhatIsMissingAndDamaged) {
  publish("repo", files(3));
  flip("repo/noble/20260101/squashfs");
  remove("repo/noble/20260102/squashfs");
  EXPECT_THAT(problems(verify_served("repo")),
              ElementsAre("damaged noble/20260101/squashfs", "missing noble/20260102/squashfs"));
}

TEST_F(VerifyUrl, WithoutTheDataTheServerIsAskedForSizes) {
  publish("repo", files(3));
  reads_data = false;
  EXPECT_THAT(problems(verify_served("repo")), IsEmpty());
  flip("repo/noble/20260103/squashfs");
  world.write("repo/noble/20260101/squashfs", "short");
  remove("repo/noble/20260102/squashfs");
  const auto result = verify_served("repo");
  EXPECT_THAT(problems(result),
              ElementsAre("damaged noble/20260101/squashfs", "missing noble/20260102/squashfs"));
  EXPECT_EQ(result.data.read, 0U);
}

TEST_F(VerifyUrl, WhatItsServerDoesNotAnswerForIsNeitherMissingNorDamaged) {
  publish("repo", files(2));
  server.on("/s/noble/20260101/squashfs", {.status = 503});
  for (const bool reads : {false, true}) {
    reads_data = reads;
    EXPECT_THAT(problems(verify_served("repo")),
                ElementsAre("unreachable noble/20260101/squashfs"));
  }
}

TEST_F(VerifyUrl, AnIndexThatNamesADocumentWhichIsNotThere) {
  publish("repo", files(1));
  remove(base::cat("repo/streams/v1/", support::janitor_content, ".json"));
  const auto result = verify_served("repo");
  EXPECT_TRUE(result.untrusted);
  EXPECT_THAT(problems(result), ElementsAre("metadata index.json"));
}

TEST_F(VerifyUrl, WithoutAStreamIsSaidSo) {
  world.write("repo/x", "");
  support::refused(Errc::not_found, [&] { verify_served("repo"); });
}

TEST_F(VerifyUrl, AServedStreamIsNotRepaired) {
  auto asked = of("repo");
  asked.target = server.url("/s");
  asked.drop_broken = true;
  support::refused(Errc::usage, [&] { verify(asked); });
}

}  // namespace
