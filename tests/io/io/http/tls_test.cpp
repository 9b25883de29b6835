#include <thread>

#include "base/fs/file.h"
#include "base/process/subprocess.h"
#include "tests/io/io/http/http_fixture.h"

namespace {

using testing::AnyOf;
using testing::HasSubstr;

/// `openssl s_server` on a free port, with a certificate of its own for "localhost" only. Its files
/// are whole answers, head and all.
class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    {
      const support::HttpServer free_port;
      port = free_port.port();
    }
    write("ok", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    write("down", base::cat("HTTP/1.1 302 Found\r\nLocation: HTTP://127.0.0.1:", port,
                            "/ok\r\nContent-Length: 0\r\n\r\n"));
    make_certificate();
    server = std::jthread([this](const std::stop_token& stop) {
      base::Command command;
      command.argv = {"openssl", "s_server", "-accept", base::cat("127.0.0.1:", port),
                      "-cert",   "cert.pem", "-key",    "key.pem",
                      "-HTTP",   "-quiet"};
      command.directory = directory.path();
      command.capture_error = true;
      try {
        base::run(command, stop);
      } catch (const base::Stopped&) {  // by the end of the test
      }
    });
  }

  void make_certificate() const {
    base::Command command;
    command.argv = {"openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                    "-nodes",
                    "-keyout",
                    "key.pem",
                    "-out",
                    "cert.pem",
                    "-days",
                    "30",
                    "-subj",
                    "/CN=localhost",
                    "-addext",
                    "subjectAltName=DNS:localhost"};
    command.directory = directory.path();
    command.capture_error = true;
    base::run_checked(command);
  }

  void write(const std::string& name, std::string_view content) const {
    auto file = base::open_file(base::cat(directory.path(), "/", name), O_WRONLY | O_CREAT, 0644);
    file.write(content);
    file.close();
  }

  /// The body, or the error. Many quick tries, because the server takes a moment to listen.
  std::string get(const std::string& host, const std::string& path, bool trust) const {
    io::HttpOptions options;
    options.tries = 200;
    options.first_wait = std::chrono::milliseconds(20);
    options.longest_wait = std::chrono::milliseconds(100);
    options.ca_file = trust ? directory.path() + "/cert.pem" : "";
    try {
      io::Request request;
      request.url = base::cat("https://", host, ":", port, path);
      return io::make_http_client(options)->get(request, {}).value().body;
    } catch (const base::Error& error) {
      return base::cat(error.code() == base::Errc::untrusted ? "untrusted: " : "failed: ",
                       error.what());
    }
  }

  base::TempDir directory{"tls-test-"};
  std::uint16_t port = 0;
  std::jthread server;
};

TEST_F(TlsTest, VerifiesThePeerC22) {
  EXPECT_EQ(get("localhost", "/ok", true), "ok");
  EXPECT_THAT(get("localhost", "/ok", false), HasSubstr("certificate"));
  EXPECT_THAT(get("127.0.0.1", "/ok", true),
              AnyOf(HasSubstr("target host name '127.0.0.1'"), HasSubstr("target ipv4 address")));
}

TEST_F(TlsTest, NeverGoesFromHttpsToHttpC12) {
  EXPECT_THAT(get("localhost", "/down", true),
              testing::AllOf(HasSubstr("untrusted: "), HasSubstr("redirect from https to http")));
}

}  // namespace
