#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fs/file.h"

namespace support {

/// A request as it came in.
struct HttpSeen {
  std::string method;
  std::string path;                            ///< with the query, undecoded
  std::map<std::string, std::string> headers;  ///< names in lower case
  unsigned number = 0;                         ///< 1 for the first request of this path

  std::string header(const std::string& name) const;
};

/// What a handler may do with the connection of a request: anything, down to the byte.
class HttpConnection {
 public:
  using Wait = std::function<void()>;

  HttpConnection(int fd, Wait wait) : fd_(fd), wait_(std::move(wait)) {}

  /// False when the client has gone.
  bool send(std::string_view bytes) const;

  /// Ends the connection after this answer.
  void close() { open_ = false; }

  /// Ends it at once, with RST.
  void reset();

  /// Holds the connection open, silent, until the client leaves or the server ends.
  void stall();

  bool open() const { return open_; }

 private:
  int fd_;
  Wait wait_;
  bool open_ = true;
};

/// An answer with a body, and how it misbehaves.
struct HttpAnswer {
  int status = 200;
  std::string body = {};
  std::map<std::string, std::string> headers = {};
  bool length = true;                        ///< send Content-Length
  std::optional<std::size_t> cut_at = {};    ///< close after so many bytes of the body
  std::optional<std::size_t> stall_at = {};  ///< or say no more after so many
  bool chunked = false;
};

/// A loopback server in this process that misbehaves as told, path by path.
class HttpServer {
 public:
  using Handler = std::function<void(const HttpSeen& seen, HttpConnection& connection)>;

  HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  std::uint16_t port() const { return port_; }

  /// "http://127.0.0.1:PORT" and the path.
  std::string url(const std::string& path) const;

  void on(const std::string& path, Handler handler);

  /// The same answer always.
  void on(const std::string& path, HttpAnswer answer);

  /// One answer after the other, the last one for ever.
  void on_each(const std::string& path, std::vector<HttpAnswer> answers);

  /// A file as good servers offer it: GET and HEAD, ETag, Range, If-Range, If-None-Match.
  void offer(const std::string& path, std::string content, std::string etag = "\"1\"");

  /// What lies in a directory, in the same way, read anew at each request. Paths outside of it and
  /// symlinks out of it are 404.
  void offer_directory(const std::string& prefix, const std::string& directory);

  /// All requests so far, in order.
  std::vector<HttpSeen> seen() const;
  unsigned count(const std::string& path) const;
  std::size_t connections() const;

 private:
  struct Client {
    base::UniqueFd fd;
    std::thread thread;
  };

  void accept_clients();
  void serve(int fd);
  std::optional<HttpSeen> read_request(int fd, std::string& buffer) const;
  Handler find(const HttpSeen& seen) const;
  HttpSeen record(HttpSeen seen);

  base::UniqueFd listener_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable ending_;
  bool end_ = false;
  std::map<std::string, Handler> handlers_;
  std::map<std::string, std::string> directories_;
  std::vector<HttpSeen> seen_;
  std::vector<Client> clients_;
  std::thread acceptor_;
};

/// Sends an answer as it says.
void send_answer(const HttpAnswer& answer, const HttpSeen& seen, HttpConnection& connection);

/// The answer of a good server to a request for this content.
HttpAnswer good_answer(const HttpSeen& seen, const std::string& content, const std::string& etag);

}  // namespace support
