#include <array>

#include <sys/mount.h>

#include "base/fs/file.h"
#include "base/process/subprocess.h"
#include "tests/io/io/http/http_fixture.h"
#include "tests/support/refused.h"

namespace {

using support::HttpAnswer;
using support::HttpConnection;
using support::HttpSeen;
using testing::HasSubstr;

class RecordingProgress : public base::Progress {
 public:
  void expect(std::uint64_t more, std::uint64_t items) override {
    expected_bytes += more;
    expected_items += items;
  }

  void add_bytes(std::uint64_t more) override { bytes += more; }

  void finish_item(const std::string& label) override { labels.push_back(label); }

  std::uint64_t expected_bytes = 0;
  std::uint64_t expected_items = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> labels;
};

class DownloadTest : public HttpTest {
 protected:
  DownloadTest() { file = open("a"); }

  base::File open(const std::string& name) const {
    return base::open_file(base::cat(directory.path(), "/", name), O_RDWR | O_CREAT, 0644);
  }

  io::FileRequest request(const std::string& path) {
    io::FileRequest wanted;
    wanted.url = server.url(path);
    wanted.size = content.size();
    wanted.digest = io::digest_hex(io::Algorithm::sha256, content);
    wanted.into = &file;
    return wanted;
  }

  /// Empty for success, else "untrusted: ...", "failed: ..." or "not_found: ...".
  std::string fetch(io::FileRequest& wanted) {
    std::vector<io::FileRequest> requests = {wanted};
    std::string outcome;
    int told = 0;
    client->fetch(requests, progress,
                  [&](std::size_t, const std::exception_ptr& thrown) {
                    ++told;
                    if (thrown) {
                      const auto error = base::as_error(thrown);
                      sys_errno = error.sys_errno();
                      outcome = base::cat(error.code() == base::Errc::untrusted   ? "untrusted: "
                                          : error.code() == base::Errc::not_found ? "not_found: "
                                                                                  : "failed: ",
                                          error.what());
                    }
                  },
                  {});
    EXPECT_EQ(told, 1);
    wanted.etag = requests[0].etag;
    return outcome;
  }

  std::string fetch(const std::string& path) {
    auto wanted = request(path);
    return fetch(wanted);
  }

  void put(std::string_view bytes) {
    file.truncate(0);
    file.seek(0);
    file.write(bytes);
  }

  std::string got() {
    file.seek(0);
    return base::read_all(file);
  }

  std::string range_of_last() const { return server.seen().back().header("range"); }

  base::TempDir directory{"http-test-"};
  base::File file;
  std::string content = content_of(300'000);
  RecordingProgress progress;
  int sys_errno = 0;
};

TEST_F(DownloadTest, FetchesAndTellsProgress) {
  server.offer("/dir/a.squashfs", content);
  auto wanted = request("/dir/a.squashfs");
  EXPECT_EQ(fetch(wanted), "");
  EXPECT_EQ(got(), content);
  EXPECT_EQ(wanted.etag, "\"1\"");
  EXPECT_EQ(progress.expected_bytes, content.size());
  EXPECT_EQ(progress.expected_items, 1U);
  EXPECT_EQ(progress.bytes, content.size());
  EXPECT_EQ(progress.labels, std::vector<std::string>{"a.squashfs"});
  EXPECT_EQ(server.seen().front().header("accept-encoding"), "");
}

TEST_F(DownloadTest, AWholeFileNeedsNoRequest) {
  put(content);
  EXPECT_EQ(fetch("/a"), "");
  EXPECT_TRUE(server.seen().empty());
  content.clear();
  put("");
  EXPECT_EQ(fetch("/empty"), "");
  EXPECT_TRUE(server.seen().empty());
}

TEST_F(DownloadTest, ResumesWhatIsThere) {
  server.offer("/a", content);
  put(content.substr(0, 100'000));
  auto wanted = request("/a");
  wanted.etag = "\"1\"";
  EXPECT_EQ(fetch(wanted), "");
  EXPECT_EQ(got(), content);
  EXPECT_EQ(range_of_last(), "bytes=100000-");
  EXPECT_EQ(server.seen().back().header("if-range"), "\"1\"");
  EXPECT_EQ(server.seen().size(), 1U);
  EXPECT_EQ(progress.bytes, content.size());
}

TEST_F(DownloadTest, ResumesWithoutAKnownTag) {
  server.offer("/a", content);
  put(content.substr(0, 100'000));
  EXPECT_EQ(fetch("/a"), "");
  EXPECT_EQ(got(), content);
  EXPECT_EQ(server.seen().back().header("if-range"), "");
}

TEST_F(DownloadTest, GoesOnAfterEveryCutC1) {
  server.on("/a", [&](const HttpSeen& seen, HttpConnection& connection) {
    auto answer = support::good_answer(seen, content, "\"1\"");
    answer.cut_at = 10'000;
    answer.headers["Content-Length"] = std::to_string(answer.body.size());
    send_answer(answer, seen, connection);
  });
  EXPECT_EQ(fetch("/a"), "");
  EXPECT_EQ(got(), content);
  EXPECT_EQ(server.count("/a"), 30U);
  EXPECT_EQ(progress.bytes, content.size());
}

TEST_F(DownloadTest, GoesOnAfterAnEarlyCloseWithoutLengthC3) {
  server.on("/a", [&](const HttpSeen& seen, HttpConnection& connection) {
    auto answer = support::good_answer(seen, content, "\"1\"");
    answer.length = false;
    answer.cut_at = 200'000;
    send_answer(answer, seen, connection);
  });
  EXPECT_EQ(fetch("/a"), "");
  EXPECT_EQ(got(), content);
  EXPECT_EQ(server.count("/a"), 2U);
}

TEST_F(DownloadTest, KeepsThePartWhenItGivesUp) {
  server.on_each("/a",
                 {{.body = content, .headers = {{"Content-Length", "300000"}}, .cut_at = 5000},
                  {.status = 503}});
  EXPECT_THAT(fetch("/a"), HasSubstr("HTTP 503"));
  EXPECT_EQ(got(), content.substr(0, 5000));
}

TEST_F(DownloadTest, SurvivesRstAndStallsC13C14) {
  server.on("/a", [&](const HttpSeen& seen, HttpConnection& connection) {
    auto answer = support::good_answer(seen, content, "\"1\"");
    if (seen.number == 1) {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + content.substr(0, 10));
      connection.reset();
      return;
    }
    if (seen.number == 2) {
      answer.stall_at = 1000;
      answer.headers["Content-Length"] = std::to_string(answer.body.size());
    }
    send_answer(answer, seen, connection);
  });
  EXPECT_EQ(fetch("/a"), "");
  EXPECT_EQ(got(), content);
  EXPECT_EQ(server.count("/a"), 3U);
}

TEST_F(DownloadTest, StartsAgainWhereRangesAreIgnoredC15) {
  server.on("/a", HttpAnswer{.body = content});
  put(content.substr(0, 100'000));
  EXPECT_EQ(fetch("/a"), "");
  EXPECT_EQ(got(), content);
  EXPECT_EQ(server.count("/a"), 1U);
}

TEST_F(DownloadTest, StartsAgainOnAWrongPartC16) {
  const auto part = [&](const std::string& range, std::size_t from) {
    return HttpAnswer{
        .status = 206, .body = content.substr(from), .headers = {{"Content-Range", range}}};
  };
  const std::vector<HttpAnswer> wrong = {
      part("bytes 0-299999/300000", 0),
      part("bytes 99999-299999/300000", 99'999),
      part("bytes 100000-299999/300001", 100'000),
      part("bytes 100000-299998/300000", 100'000),
      part("bytes 100000-299999", 100'000),
      part("chapters 1-2/3", 100'000),
      part("bytes 299999-100000/300000", 100'000),
      HttpAnswer{.status = 206, .body = content.substr(100'000)}};
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    const auto path = base::cat("/", i);
    server.on_each(path, {wrong[i], {.body = content}});
    put(content.substr(0, 100'000));
    EXPECT_EQ(fetch(path), "") << i;
    EXPECT_EQ(got(), content) << i;
    EXPECT_EQ(server.count(path), 2U) << i;
    EXPECT_EQ(range_of_last(), "") << i;
  }
}

TEST_F(DownloadTest, StartsAgainWhenTheTagChangedC16) {
  const auto old = std::string(300'000, 'o');
  server.on("/a", [&](const HttpSeen& seen, HttpConnection& connection) {
    // Cut, and then another file of the same size; this server ignores If-Range.
    auto plain = seen;
    plain.headers.erase("if-range");
    auto answer = support::good_answer(plain, seen.number == 1 ? old : content,
                                       seen.number == 1 ? "\"old\"" : "\"new\"");
    if (seen.number == 1) {
      answer.cut_at = 1000;
      answer.headers["Content-Length"] = "300000";
    }
    send_answer(answer, seen, connection);
  });
  EXPECT_EQ(fetch("/a"), "");
  EXPECT_EQ(got(), content);
  EXPECT_EQ(server.count("/a"), 3U);
}

TEST_F(DownloadTest, StartsAgainOn416C17) {
  for (const bool with_range : {true, false}) {
    const auto path = with_range ? "/with" : "/without";
    HttpAnswer refused{.status = 416};
    if (with_range) {
      refused.headers["Content-Range"] = "bytes */300000";
    }
    server.on_each(path, {refused, {.body = content}});
    put(content.substr(0, 100'000));
    EXPECT_EQ(fetch(path), "");
    EXPECT_EQ(got(), content);
    EXPECT_EQ(range_of_last(), "");
  }
  server.on("/always", HttpAnswer{.status = 416});
  put(content.substr(0, 100'000));
  EXPECT_THAT(fetch("/always"), HasSubstr("HTTP 416"));
  EXPECT_LE(server.count("/always"), 5U);
}

TEST_F(DownloadTest, RetriesOnceInFullWhenOurPartWasBadC18) {
  server.offer("/a", content);
  put(std::string(100'000, 'x'));
  EXPECT_EQ(fetch("/a"), "");
  EXPECT_EQ(got(), content);
  EXPECT_EQ(server.count("/a"), 2U);
  put(std::string(300'000, 'x'));
  EXPECT_EQ(fetch("/a"), "");
  EXPECT_EQ(server.count("/a"), 3U);
  put(std::string(300'001, 'x'));
  EXPECT_EQ(fetch("/a"), "");
  EXPECT_EQ(got(), content);
}

TEST_F(DownloadTest, RefusesOtherContentC19C20) {
  server.offer("/a", std::string(300'000, 'x'));
  const auto reason = fetch("/a");
  EXPECT_THAT(reason, HasSubstr("untrusted: fetch " + server.url("/a") + ": digest is "));
  EXPECT_EQ(server.count("/a"), 1U);
  EXPECT_EQ(got(), "");
  put(content.substr(0, 100'000));
  EXPECT_THAT(fetch("/a"), HasSubstr("untrusted: "));
  EXPECT_EQ(server.count("/a"), 3U);
}

TEST_F(DownloadTest, RefusesOtherSizesC2C5C6C10) {
  server.on("/longer", HttpAnswer{.body = content + "x"});
  server.on("/longer-undeclared", {.body = content + "x", .length = false});
  server.on("/shorter", HttpAnswer{.body = content.substr(1)});
  server.on("/portal", HttpAnswer{.body = "<html>Please log in</html>"});
  server.on("/two", [&](const HttpSeen&, HttpConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nContent-Length: 300001\r\n\r\n" +
                    content);
    connection.close();
  });
  server.on("/endless", [](const HttpSeen&, HttpConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\n\r\n");
    const std::string piece(1U << 16U, 'x');
    while (connection.send(piece)) {
    }
    connection.close();
  });
  for (const auto* path :
       {"/longer", "/longer-undeclared", "/shorter", "/portal", "/two", "/endless"}) {
    EXPECT_THAT(fetch(path), HasSubstr("untrusted: ")) << path;
    EXPECT_EQ(server.count(path), 1U) << path;
    EXPECT_LE(file.size(), content.size()) << path;
  }
}

TEST_F(DownloadTest, APortalPageDoesNotCostThePart) {
  server.on("/a", HttpAnswer{.body = "<html>Please log in</html>"});
  put(content.substr(0, 100'000));
  EXPECT_THAT(fetch("/a"), HasSubstr("offers 26 bytes where 300000 should come"));
  EXPECT_EQ(got(), content.substr(0, 100'000));
}

TEST_F(DownloadTest, NamesAbsence) {
  EXPECT_THAT(fetch("/nowhere"), HasSubstr("not_found: "));
}

TEST_F(DownloadTest, TakesAnotherMirrorForBadContentAndFaults) {
  support::HttpServer bad;
  bad.offer("/a", std::string(300'000, 'x'), "\"1\"");
  bad.on("/cut", {.body = content, .headers = {{"Content-Length", "300000"}}, .cut_at = 100'000});
  server.offer("/a", content);
  auto wanted = request("/a");
  wanted.mirrors = {wanted.url};
  wanted.url = bad.url("/a");
  EXPECT_EQ(fetch(wanted), "");
  EXPECT_EQ(got(), content);
  put("");
  wanted.url = bad.url("/cut");
  EXPECT_EQ(fetch(wanted), "");
  EXPECT_EQ(got(), content);
  EXPECT_EQ(range_of_last(), "bytes=100000-");
  wanted.url = bad.url("/a");
  wanted.mirrors = {bad.url("/nowhere")};
  put("");
  EXPECT_THAT(fetch(wanted), HasSubstr("digest is"));
}

TEST_F(DownloadTest, FetchesManyAtOnceAndTellsEachOnce) {
  constexpr std::size_t count = 40;
  std::vector<base::File> files;
  std::vector<io::FileRequest> requests(count);
  for (std::size_t i = 0; i < count; ++i) {
    files.push_back(open(base::cat("many", i)));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto path = base::cat("/", i);
    const auto body = content_of(1000 * (i + 1));
    requests[i] = request(path);
    requests[i].size = body.size();
    requests[i].digest = io::digest_hex(io::Algorithm::sha256, body);
    requests[i].into = &files[i];
    if (i % 7 == 3) {
      server.on_each(path, {{.status = 503}, {.body = body}});
    } else if (i % 7 != 5) {
      server.offer(path, body);
    }
  }
  std::vector<int> told(count);
  client->fetch(requests, progress,
                [&](std::size_t index, const std::exception_ptr& error) {
                  ++told[index];
                  EXPECT_EQ(error != nullptr, index % 7 == 5) << index;
                },
                {});
  EXPECT_EQ(told, std::vector<int>(count, 1));
  EXPECT_EQ(progress.labels.size(), count);
}

TEST_F(DownloadTest, KeepsConnectionsOpen) {
  std::vector<base::File> files;
  auto options = quick();
  options.jobs = 1;
  client = io::make_http_client(options);
  server.offer("/a", content);
  for (int i = 0; i < 5; ++i) {
    put("");
    EXPECT_EQ(fetch("/a"), "");
  }
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(DownloadTest, AsksOneServerForNoMoreAtOnceThanItMay) {
  support::HttpServer other;
  auto options = quick();
  options.jobs = 8;
  options.jobs_per_host = 2;
  client = io::make_http_client(options);
  server.offer("/a", content);
  other.offer("/a", content);
  // Fails once, and is waited for: it counts as well when it comes back.
  server.on_each("/again", {{.status = 503}, {.body = content}});
  std::vector<base::File> files;
  std::vector<io::FileRequest> requests;
  for (std::size_t i = 0; i < 24; ++i) {
    files.push_back(open(base::cat("capped", i)));
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    requests.push_back(request(i == 0 ? "/again" : "/a"));
    if (i >= 12) {
      requests.back().url = other.url("/a");
    }
    requests.back().into = &files[i];
  }
  std::size_t told = 0;
  client->fetch(requests, progress,
                [&](std::size_t, const std::exception_ptr& error) {
                  EXPECT_EQ(error, nullptr);
                  ++told;
                },
                {});
  EXPECT_EQ(told, 24U);
  // Connections are kept open (but for a failure's), so there were no more of them than transfers
  // at once.
  EXPECT_LE(server.connections(), 3U);
  EXPECT_LE(other.connections(), 2U);
}

TEST_F(DownloadTest, LimitsTheRateOfAllTogether) {
  auto options = quick();
  options.limit_rate = 500'000;
  client = io::make_http_client(options);
  server.offer("/a", content);
  auto other = open("b");
  std::vector<io::FileRequest> requests = {request("/a"), request("/a")};
  requests[1].into = &other;
  const auto start = std::chrono::steady_clock::now();
  client->fetch(requests, progress,
                [](std::size_t, const std::exception_ptr& error) { EXPECT_EQ(error, nullptr); },
                {});
  const auto passed = std::chrono::steady_clock::now() - start;
  // 600 kB at 500 kB/s, a quarter of a second's worth of it at once.
  EXPECT_GE(passed, std::chrono::milliseconds(850));
  EXPECT_LE(passed, std::chrono::milliseconds(5000));
}

TEST_F(DownloadTest, AFullDiskIsOurFailureWithItsErrno) {
  const auto mount_point = directory.path() + "/small";
  base::make_directories(mount_point);
  if (::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "SKIPPED: cannot mount a small tmpfs (needs root)";
  }
  {
    file = base::open_file(mount_point + "/a", O_RDWR | O_CREAT, 0644);
    server.offer("/a", content);
    EXPECT_THAT(fetch("/a"), testing::AllOf(HasSubstr("failed: "), HasSubstr("No space left")));
    EXPECT_EQ(sys_errno, ENOSPC);
    EXPECT_EQ(server.count("/a"), 1U);
    file = base::File();
  }
  EXPECT_EQ(::umount(mount_point.c_str()), 0);
}

TEST_F(DownloadTest, StopsWhenAskedAndKeepsThePart) {
  server.on("/a", HttpAnswer{.body = content, .stall_at = 1000});
  std::stop_source stop;
  auto wanted = request("/a");
  std::vector<io::FileRequest> requests = {wanted};

  class StoppingProgress : public base::NullProgress {
   public:
    explicit StoppingProgress(std::stop_source& source) : source_(source) {}

    void add_bytes(std::uint64_t) override { source_.request_stop(); }

   private:
    std::stop_source& source_;
  } stopping(stop);

  const auto done = [](std::size_t, const std::exception_ptr&) { FAIL(); };
  EXPECT_THROW(client->fetch(requests, stopping, done, stop.get_token()), base::Stopped);
  EXPECT_EQ(got(), content.substr(0, 1000));
}

TEST_F(DownloadTest, WhatDoneThrowsArrives) {
  server.offer("/a", content);
  auto wanted = request("/a");
  std::vector<io::FileRequest> requests = {wanted};
  EXPECT_THROW(
      client->fetch(requests, progress,
                    [](std::size_t, const std::exception_ptr&) { throw std::runtime_error("x"); },
                    {}),
      std::runtime_error);
  put("");
  EXPECT_EQ(fetch("/a"), "");
}

TEST_F(DownloadTest, ServesDirectoriesToo) {
  base::make_directories(directory.path() + "/tree/sub");
  auto source = open("tree/sub/a:b c");
  source.write(content);
  server.offer_directory("/files/", directory.path() + "/tree");
  EXPECT_EQ(fetch("/files/sub/a:b%20c"), "");
  EXPECT_EQ(got(), content);
  put("");
  EXPECT_THAT(fetch("/files/../a"), HasSubstr("not_found"));
  EXPECT_THAT(fetch("/files/%2e%2e/a"), HasSubstr("not_found"));
}

}  // namespace
