#include <array>
#include <chrono>
#include <thread>

#include <netinet/in.h>
#include <sys/socket.h>

#include "io/http/probe.h"
#include "tests/io/io/http/http_fixture.h"
#include "tests/support/refused.h"

#include <zlib.h>

namespace {

using support::HttpAnswer;
using support::HttpConnection;
using support::HttpSeen;
using testing::HasSubstr;
using testing::Not;

class DocumentTest : public HttpTest {
 protected:
  std::optional<io::Document> get(const std::string& path, std::uint64_t max_bytes = 0) {
    io::Request request;
    request.url = server.url(path);
    request.max_bytes = max_bytes;
    return client->get(request, {});
  }

  /// "untrusted: text" or "failed: text" of the error; empty if there was none.
  std::string refusal(const io::Request& request) {
    try {
      client->get(request, {});
      return {};
    } catch (const base::Error& error) {
      return base::cat(error.code() == base::Errc::untrusted ? "untrusted: "
                       : error.code() == base::Errc::failed  ? "failed: "
                                                             : "other: ",
                       error.what());
    }
  }

  std::string refusal(const std::string& path, std::uint64_t max_bytes = 0) {
    io::Request request;
    request.url = server.url(path);
    request.max_bytes = max_bytes;
    return refusal(request);
  }

  void raw(const std::string& path, const std::string& answer) {
    server.on(path, [answer](const HttpSeen&, HttpConnection& connection) {
      connection.send(answer);
      connection.close();
    });
  }
};

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string in = text;
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());  // NOLINT: zlib's type
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());  // NOLINT: zlib's type
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_F(DocumentTest, FetchesWithItsValidators) {
  server.on("/a",
            {.body = "hello",
             .headers = {{"ETag", "W/\"x\""}, {"Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"}}});
  const auto document = get("/a");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->body, "hello");
  EXPECT_EQ(document->url, server.url("/a"));
  EXPECT_EQ(document->etag, "W/\"x\"");
  EXPECT_EQ(document->last_modified, "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_FALSE(document->not_modified);
  const auto seen = server.seen().front();
  EXPECT_EQ(seen.header("accept-encoding"), "gzip");
  EXPECT_EQ(seen.header("user-agent"), "meph2");
}

TEST_F(DocumentTest, AbsentIsNotAnError) {
  server.on("/gone", {.status = 410});
  EXPECT_FALSE(get("/nowhere"));
  EXPECT_FALSE(get("/gone"));
  EXPECT_EQ(server.count("/nowhere"), 1U);
}

TEST_F(DocumentTest, KnowsWhatIsNotModified) {
  server.offer("/a", "hello", "\"7\"");
  io::Request request;
  request.url = server.url("/a");
  request.known_etag = "\"7\"";
  const auto same = client->get(request, {});
  ASSERT_TRUE(same);
  EXPECT_TRUE(same->not_modified);
  request.known_etag = "\"6\"";
  const auto other = client->get(request, {});
  ASSERT_TRUE(other);
  EXPECT_FALSE(other->not_modified);
  EXPECT_EQ(other->body, "hello");
}

TEST_F(DocumentTest, TakesBodiesOfEveryFraming) {
  server.on("/length", HttpAnswer{.body = "hello"});
  server.on("/close", {.body = "hello", .length = false});
  server.on("/chunked", {.body = "hello", .chunked = true});
  server.on("/gzip", {.body = gzip("hello"), .headers = {{"Content-Encoding", "gzip"}}});
  server.on("/empty", HttpAnswer{.body = ""});
  for (const auto* path : {"/length", "/close", "/chunked", "/gzip"}) {
    const auto document = get(path, 5);
    ASSERT_TRUE(document) << path;
    EXPECT_EQ(document->body, "hello") << path;
  }
  EXPECT_EQ(get("/empty")->body, "");
}

TEST_F(DocumentTest, CountsDecodedBytesC6C7) {
  server.on("/declared", {.body = std::string(1001, 'x')});
  server.on("/undeclared", {.body = std::string(1001, 'x'), .length = false});
  server.on("/bomb", {.body = gzip(std::string(50'000'000, '\0')),
                      .headers = {{"Content-Encoding", "gzip"}}});
  server.on("/endless", [](const HttpSeen&, HttpConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\n\r\n");
    const std::string piece(1U << 16U, 'x');
    while (connection.send(piece)) {
    }
    connection.close();
  });
  for (const auto* path : {"/declared", "/undeclared", "/bomb", "/endless"}) {
    EXPECT_THAT(refusal(path, 1000), HasSubstr("untrusted: ")) << path;
    EXPECT_THAT(refusal(path, 1000), HasSubstr("larger than the 1000 bytes")) << path;
  }
  server.on("/fits", {.body = std::string(1000, 'x')});
  EXPECT_EQ(get("/fits", 1000)->body.size(), 1000U);
}

TEST_F(DocumentTest, RetriesWhatMayPassC8C9) {
  for (const int status : {408, 425, 429, 500, 502, 503, 504}) {
    const auto path = base::cat("/", status);
    server.on_each(path, {{.status = status}, {.status = status}, {.body = "ok"}});
    EXPECT_EQ(get(path)->body, "ok") << status;
    EXPECT_EQ(server.count(path), 3U);
    const auto always = base::cat("/always", status);
    server.on(always, HttpAnswer{.status = status});
    const auto reason = refusal(always);
    EXPECT_THAT(reason,
                HasSubstr(base::cat("failed: fetch ", server.url(always), ": HTTP ", status)));
    EXPECT_THAT(reason, HasSubstr("given up after 5 tries"));
    EXPECT_EQ(server.count(always), 5U);
  }
}

TEST_F(DocumentTest, DoesNotTakeLeftoversForAnAnswer) {
  server.on("/a", [](const HttpSeen& seen, HttpConnection& connection) {
    send_answer({.body = "a"}, seen, connection);
  });
  server.on("/b", [](const HttpSeen& seen, HttpConnection& connection) {
    if (seen.number == 1) {
      connection.send("and what was left of a");
      connection.close();
      return;
    }
    send_answer({.body = "b"}, seen, connection);
  });
  EXPECT_EQ(get("/a")->body, "a");
  EXPECT_EQ(get("/b")->body, "b");
}

TEST_F(DocumentTest, DoesNotRetryWhatWillNotPassC8) {
  for (const int status : {400, 401, 403, 405, 416, 451, 501}) {
    const auto path = base::cat("/", status);
    server.on(path, HttpAnswer{.status = status, .body = "no"});
    EXPECT_THAT(refusal(path), HasSubstr(base::cat("HTTP ", status)));
    if (status != 416) {
      EXPECT_EQ(server.count(path), 1U) << status;
    }
  }
}

TEST_F(DocumentTest, HonoursRetryAfter) {
  server.on_each("/busy", {{.status = 503, .headers = {{"Retry-After", "1"}}}, {.body = "ok"}});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(get("/busy")->body, "ok");
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(990));
  server.on("/tomorrow", HttpAnswer{.status = 503, .headers = {{"Retry-After", "86400"}}});
  EXPECT_THAT(refusal("/tomorrow"), HasSubstr("HTTP 503"));
  EXPECT_EQ(server.count("/tomorrow"), 1U);
}

TEST_F(DocumentTest, RefusesUnexpectedSuccessC11) {
  for (const int status : {204, 206, 304}) {
    const auto path = base::cat("/", status);
    server.on(path, HttpAnswer{.status = status, .length = status == 206});
    EXPECT_THAT(refusal(path), HasSubstr(base::cat("unexpected HTTP ", status)));
  }
}

TEST_F(DocumentTest, RefusesBrokenFramingC1C4C5) {
  raw("/short", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  raw("/chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
  raw("/bad-chunk",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n");
  raw("/negative", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello");
  raw("/two", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 3\r\n\r\nhello");
  raw("/huge", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello");
  raw("/not-http", "hello\r\n\r\n");
  raw("/long-head", "HTTP/1.1 200 OK\r\nX: " + std::string(400'000, 'x') + "\r\n\r\nhello");
  raw("/nothing", "");
  raw("/gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello");
  for (const auto* path : {"/short", "/chunk", "/bad-chunk", "/negative", "/two", "/huge",
                           "/not-http", "/long-head", "/nothing", "/gzip"}) {
    const auto reason = refusal(path);
    EXPECT_THAT(reason, HasSubstr(": fetch " + server.url(path) + ": ")) << path;
  }
  EXPECT_THAT(refusal("/two"), HasSubstr("untrusted: "));
  EXPECT_EQ(server.count("/nothing"), 5U);
}

TEST_F(DocumentTest, FollowsFewRedirectsAndOnlyToHttpC12) {
  const auto redirect = [&](const std::string& from, const std::string& to) {
    server.on(from, HttpAnswer{.status = 302, .headers = {{"Location", to}}});
  };
  server.on("/end", HttpAnswer{.body = "end"});
  redirect("/1", "/end");
  for (int i = 2; i <= 6; ++i) {
    redirect(base::cat("/", i), base::cat("/", i - 1));
  }
  EXPECT_EQ(get("/5")->body, "end");
  EXPECT_EQ(get("/5")->url, server.url("/end"));
  EXPECT_THAT(refusal("/6"), HasSubstr("redirects"));
  redirect("/loop", "/loop");
  EXPECT_THAT(refusal("/loop"), HasSubstr("redirects"));
  redirect("/file", "file:///etc/passwd");
  redirect("/gopher", "gopher://127.0.0.1/x");
  for (const auto* path : {"/file", "/gopher"}) {
    EXPECT_THAT(refusal(path), HasSubstr("not supported or disabled")) << path;
  }
  redirect("/control", server.url("/end") + "\tx\x01y");
  EXPECT_THAT(refusal("/control"), HasSubstr("control characters"));
  support::HttpServer other;
  other.on("/other", HttpAnswer{.body = "other"});
  redirect("/host", other.url("/other"));
  auto request = io::Request{};
  request.url = base::replace_all(server.url("/host"), "http://", "http://user:secret@");
  EXPECT_EQ(client->get(request, {})->body, "other");
  EXPECT_THAT(server.seen().back().header("authorization"), HasSubstr("Basic"));
  EXPECT_EQ(other.seen().back().header("authorization"), "");
}

TEST_F(DocumentTest, GivesUpOnSilence) {
  server.on("/stall", {.body = "hello", .stall_at = 2});
  auto options = quick();
  options.tries = 1;
  client = io::make_http_client(options);
  EXPECT_THAT(refusal("/stall"), HasSubstr("ess than 1024 bytes/sec"));
}

TEST_F(DocumentTest, NamesTheUrlWithoutSecretsC26) {
  io::Request request;
  request.url = base::replace_all(server.url("/x?token=abc"), "http://", "http://user:secret@");
  server.on("/x?token=abc", HttpAnswer{.status = 403});
  const auto reason = refusal(request);
  EXPECT_THAT(reason, HasSubstr(base::cat("fetch ", server.url("/x"))));
  EXPECT_THAT(reason, Not(HasSubstr("secret")));
  EXPECT_THAT(reason, Not(HasSubstr("abc")));
  server.on("/x?token=abc", HttpAnswer{.body = "ok"});
  EXPECT_EQ(client->get(request, {})->url, server.url("/x?token=abc"));
}

TEST_F(DocumentTest, RefusesOtherSchemes) {
  for (const auto* url : {"file:///etc/passwd", "ftp://127.0.0.1/x", "/etc/passwd", ""}) {
    io::Request request;
    request.url = url;
    EXPECT_THAT(refusal(request), HasSubstr("failed: ")) << url;
  }
  EXPECT_TRUE(io::is_http_url("http://x"));
  EXPECT_TRUE(io::is_http_url("HTTPS://x"));
  EXPECT_FALSE(io::is_http_url("file:///x"));
  EXPECT_FALSE(io::is_http_url("https:/x"));
}

TEST_F(DocumentTest, TriesMirrorsInTurn) {
  support::HttpServer mirror;
  io::Request request;
  request.url = server.url("/a");
  request.mirrors = {mirror.url("/a")};
  mirror.on("/a", HttpAnswer{.body = "mirror"});
  EXPECT_EQ(client->get(request, {})->body, "mirror");
  server.on("/a", HttpAnswer{.status = 500});
  EXPECT_EQ(client->get(request, {})->body, "mirror");
  mirror.on("/a", HttpAnswer{.status = 404});
  EXPECT_THAT(refusal(request), HasSubstr("HTTP 500"));
  server.on("/a", HttpAnswer{.status = 404});
  EXPECT_FALSE(client->get(request, {}));
}

TEST_F(DocumentTest, StopsWhenAsked) {
  server.on("/stall", {.body = "hello", .stall_at = 2});
  std::stop_source stop;
  io::Request request;
  request.url = server.url("/stall");
  const std::jthread asker([&] {
    while (server.count("/stall") == 0) {
      std::this_thread::yield();
    }
    stop.request_stop();
  });
  EXPECT_THROW(client->get(request, stop.get_token()), base::Stopped);
}

TEST_F(DocumentTest, ServesSeveralThreads) {
  server.on("/a", HttpAnswer{.body = "hello"});
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 10; ++k) {
        EXPECT_EQ(get("/a")->body, "hello");
      }
    });
  }
}

TEST_F(DocumentTest, ConnectionRefusedNamesTheCause) {
  io::Request request;
  {
    const support::HttpServer gone;
    request.url = gone.url("/x");
  }
  EXPECT_THAT(refusal(request), HasSubstr("connect to 127.0.0.1"));
}

TEST(HttpClient, CostsNothingBeforeItsFirstRequest) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) {
    const auto client = io::make_http_client({});
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
}

TEST_F(DocumentTest, CanBeSavedToAFile) {
  const base::TempDir directory("document-");
  const auto content = content_of(3U << 20U);
  server.offer("/image", content);
  auto file = base::open_file(directory.path() + "/f", O_RDWR | O_CREAT);
  file.write("what was there before");
  io::Request request;
  request.url = server.url("/image");
  request.save_to = &file;
  request.max_bytes = content.size();
  const auto document = client->get(request, {});
  ASSERT_TRUE(document);
  EXPECT_EQ(document->body, "");
  EXPECT_EQ(base::read_file(directory.path() + "/f"), content);
  request.max_bytes = content.size() - 1;
  EXPECT_THAT(refusal(request), HasSubstr("untrusted: "));
}

TEST_F(DocumentTest, IsSavedFromItsStartAfterAFailedTry) {
  const base::TempDir directory("document-");
  auto file = base::open_file(directory.path() + "/f", O_RDWR | O_CREAT);
  unsigned tries = 0;
  server.on("/image", [&tries](const HttpSeen&, HttpConnection& connection) {
    connection.send(++tries == 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour"
                                 : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwhol");
    connection.close();
  });
  io::Request request;
  request.url = server.url("/image");
  request.save_to = &file;
  ASSERT_TRUE(client->get(request, {}));
  EXPECT_EQ(base::read_file(directory.path() + "/f"), "whol");
}

/// A listener whose queue is full takes no more connections and refuses none: as a firewall drops.
TEST_F(DocumentTest, KnowsAConnectionThatIsDropped) {
  const base::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT: the sockets' way
  ASSERT_EQ(::bind(listener.get(), generic, length), 0);
  ASSERT_EQ(::getsockname(listener.get(), generic, &length), 0);
  const auto url = base::cat("http://127.0.0.1:", ntohs(address.sin_port), "/");
  constexpr std::chrono::milliseconds time(300);
  EXPECT_FALSE(io::is_dropped(url, time));  // refused
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  EXPECT_FALSE(io::is_dropped(url, time));  // taken
  std::vector<base::UniqueFd> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::connect(waiting.back().get(), generic, length);
  }
  EXPECT_TRUE(io::is_dropped(url, time));
}

}  // namespace
