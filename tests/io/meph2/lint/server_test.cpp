#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "io/http/http.h"
#include "meph2/lint/lint.h"
#include "meph2/lint/rules.h"
#include "tests/io/meph2/lint/good_streams.h"
#include "tests/support/http_server.h"
#include "tests/support/publication_world.h"

namespace lint_test {

namespace {

using support::HttpAnswer;
using testing::Contains;
using testing::Not;

constexpr const char* squashfs = "noble/amd64/20260101/squashfs";

/// A MAAS stream behind a server that may spoil it.
class Served : public testing::Test {
 protected:
  Served() {
    model_.write(world_.path("s"));
    server_.offer_directory("/", world_.path("s"));
  }

  std::vector<std::string> found(const std::string& profile = "maas",
                                 std::optional<std::uint64_t> sample = std::nullopt) {
    meph2::LintOptions options;
    options.where = server_.url("/");
    options.profiles = {profile};
    options.sample = sample;
    const sstream::Context context{world_.clock, world_.log, world_.progress, *client_, {}};
    std::vector<std::string> rules;
    const auto result = meph2::lint(options, context);
    for (const auto& finding : result.report.findings()) {
      rules.emplace_back(finding.rule->id);
    }
    return rules;
  }

  /// How the server answers for one file.
  void answer(const std::string& path, const HttpAnswer& answer) { server_.on("/" + path, answer); }

  unsigned heads() const {
    unsigned count = 0;
    for (const auto& seen : server_.seen()) {
      count += seen.method == "HEAD" && seen.path.starts_with("/noble/") ? 1U : 0U;
    }
    return count;
  }

  static io::HttpOptions quick() {
    io::HttpOptions options;
    options.tries = 1;
    return options;
  }

  support::World world_;
  support::HttpServer server_;
  std::unique_ptr<io::HttpClient> client_ = io::make_http_client(quick());
  StreamModel model_ = maas_stream();
};

TEST_F(Served, AGoodServerIsClean) {
  EXPECT_THAT(found("simplestreams"), testing::IsEmpty());
  EXPECT_THAT(found("maas"), testing::ElementsAre("index-signed"));
  EXPECT_THAT(found("lxd"), Contains("url-tls"));
}

TEST_F(Served, ARedirect) {
  HttpAnswer redirect;
  redirect.status = 302;
  redirect.headers["Location"] = "/elsewhere";
  answer(squashfs, redirect);
  for (const char* profile : {"maas", "maas-classic", "simplestreams"}) {
    EXPECT_THAT(found(profile), Contains("url-redirect"));
  }
}

TEST_F(Served, AContentEncoding) {
  HttpAnswer encoded;
  encoded.body = std::string(model_.files.at(squashfs));
  encoded.headers["Content-Encoding"] = "gzip";
  answer(squashfs, encoded);
  EXPECT_THAT(found(), Contains("url-encoding"));
}

TEST_F(Served, AnotherLength) {
  HttpAnswer other;
  other.body = "short";
  answer(squashfs, other);
  EXPECT_THAT(found(), Contains("url-length"));
}

TEST_F(Served, TwoLengthsThatNoDownloadWouldTake) {
  HttpAnswer two;
  two.body = std::string(model_.files.at(squashfs));
  two.headers["X-Other"] = "1\r\nContent-Length: 7";
  answer(squashfs, two);
  EXPECT_THAT(found(), Contains("url-length"));
}

TEST_F(Served, AMissingFileAndAForbiddenOne) {
  HttpAnswer gone;
  gone.status = 404;
  answer(squashfs, gone);
  EXPECT_THAT(found(), Contains("url-status"));
  gone.status = 403;
  answer(squashfs, gone);
  EXPECT_THAT(found(), Contains("url-status"));
}

TEST_F(Served, AForbiddenDocument) {
  HttpAnswer forbidden;
  forbidden.status = 403;
  answer(base::cat("streams/v1/", centos, ".json"), forbidden);
  EXPECT_THAT(found(), testing::IsSupersetOf({"products-missing", "url-status"}));
}

TEST_F(Served, AnIndexThatCachesKeep) {
  HttpAnswer cached;
  cached.body = io::to_text(model_.index());
  cached.headers["Cache-Control"] = "public, max-age=86400";
  answer("streams/v1/index.json", cached);
  EXPECT_THAT(found(), Contains("url-caching"));
  cached.headers["Cache-Control"] = "max-age=60";
  answer("streams/v1/index.json", cached);
  EXPECT_THAT(found(), Not(Contains("url-caching")));
}

TEST_F(Served, ASampleAsksForSoManyFiles) {
  EXPECT_THAT(found("simplestreams", 5), testing::IsEmpty());
  EXPECT_GT(heads(), 0U);
  EXPECT_LE(heads(), 5U);
  found("simplestreams");
  EXPECT_GE(heads(), 16U);
}

TEST_F(Served, APortThatAFirewallDrops) {
  for (const auto& [url, plain] : std::map<std::string, std::string>{
           {"https://user:secret@h.example:8443/x/", "http://h.example/"},
           {"https://h.example", "http://h.example/"},
           {"https://[::1]:8443/", "http://[::1]/"}}) {
    for (const bool dropped : {true, false}) {
      std::vector<std::string> asked;
      sstream::lint::ServerProbes probes;
      probes.is_dropped = [&](const std::string& one) {
        asked.push_back(one);
        return dropped;
      };
      sstream::lint::Report report(meph2::lint_rules(), meph2::profile::lxd, SIZE_MAX);
      sstream::lint::remote_files(url, probes, world_.context)->finish(true, report);
      EXPECT_THAT(asked, testing::ElementsAre(plain));
      ASSERT_EQ(report.findings().size(), dropped ? 1U : 0U);
      if (dropped) {
        EXPECT_EQ(report.findings().front().rule->id, "url-port-80");
      }
    }
  }
  sstream::lint::ServerProbes probes;
  probes.is_dropped = [](const std::string&) -> bool { throw std::logic_error("MAAS minds not"); };
  sstream::lint::Report report(meph2::lint_rules(), meph2::profile::maas, SIZE_MAX);
  sstream::lint::remote_files("https://h.example/", probes, world_.context)->finish(true, report);
  EXPECT_THAT(report.findings(), testing::IsEmpty());
}

TEST_F(Served, WithoutAServerThereIsNothingToLookAt) {
  meph2::LintOptions options;
  options.where = "http://127.0.0.1:1/";
  const sstream::Context context{world_.clock, world_.log, world_.progress, *client_, {}};
  EXPECT_THROW(meph2::lint(options, context), base::Error);
}

}  // namespace

}  // namespace lint_test
