#include "tests/support/http_server.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"

namespace support {

namespace {

constexpr std::size_t largest_head = 1U << 16U;

int require_fd(int fd, const char* action) {
  if (fd < 0) {
    base::throw_errno(errno, action, "127.0.0.1");
  }
  return fd;
}

std::string decoded(std::string_view path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%' && i + 2 < path.size() && base::is_hex(path.substr(i + 1, 2))) {
      out += static_cast<char>(std::stoi(std::string(path.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += path[i];
    }
  }
  return out;
}

/// "bytes=N-" or "bytes=N-M".
std::optional<std::pair<std::size_t, std::size_t>> wanted_range(const std::string& header,
                                                                std::size_t size) {
  constexpr std::string_view unit = "bytes=";
  if (!header.starts_with(unit)) {
    return std::nullopt;
  }
  const auto parts = base::split(std::string_view(header).substr(unit.size()), '-');
  const auto first = base::parse_decimal(parts[0]);
  const auto last = parts.size() > 1 ? base::parse_decimal(parts[1]) : std::nullopt;
  if (!first) {
    return std::nullopt;
  }
  return std::pair(*first, std::min(last ? *last + 1 : size, size));
}

std::string chunk(std::string_view bytes) {
  std::array<char, 32> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
  return base::cat(std::string_view(size.data()), bytes, "\r\n");
}

std::string content_of(const std::string& directory, const std::string& name) {
  const auto root = base::open_directory(directory);
  auto file = base::open_beneath(root.fd(), name, O_RDONLY);
  return base::read_all(file);
}

}  // namespace

std::string HttpSeen::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

bool HttpConnection::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void HttpConnection::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  open_ = false;
}

void HttpConnection::stall() {
  wait_();
  open_ = false;
}

HttpServer::HttpServer()
    : listener_(require_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT: the socket API's own way
  require_fd(::bind(listener_.get(), generic, size), "bind");
  require_fd(::listen(listener_.get(), 64), "listen");
  require_fd(::getsockname(listener_.get(), generic, &size), "getsockname");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_clients(); });
}

HttpServer::~HttpServer() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
    for (const auto& client : clients_) {
      ::shutdown(client.fd.get(), SHUT_RDWR);
    }
  }
  ending_.notify_all();
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  for (auto& client : clients_) {
    client.thread.join();
  }
}

std::string HttpServer::url(const std::string& path) const {
  return base::cat("http://127.0.0.1:", port_, path);
}

void HttpServer::accept_clients() {
  while (true) {
    base::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    // Head and body are two sends: without this the second one waits for an acknowledgement.
    const int yes = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const std::lock_guard lock(mutex_);
    if (end_ || !fd) {
      return;
    }
    const int number = fd.get();
    clients_.push_back({std::move(fd), std::thread([this, number] { serve(number); })});
  }
}

void HttpServer::serve(int fd) {
  const auto wait = [fd] {
    // Until the client closes its end (or the destructor shuts the socket down).
    pollfd watched{fd, POLLRDHUP | POLLIN, 0};
    while (::poll(&watched, 1, -1) < 0 && errno == EINTR) {
    }
  };
  std::string buffer;
  while (auto request = read_request(fd, buffer)) {
    HttpConnection connection(fd, wait);
    const auto seen = record(std::move(*request));
    find(seen)(seen, connection);
    if (!connection.open()) {
      break;
    }
  }
  const std::lock_guard lock(mutex_);
  for (auto& client : clients_) {
    if (client.fd.get() == fd) {
      client.fd.reset();
    }
  }
}

std::optional<HttpSeen> HttpServer::read_request(int fd, std::string& buffer) const {
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    std::array<char, 4096> piece{};
    const auto count = ::recv(fd, piece.data(), piece.size(), 0);
    if (count <= 0 || buffer.size() > largest_head) {
      return std::nullopt;
    }
    buffer.append(piece.data(), static_cast<std::size_t>(count));
  }
  const auto lines = base::split(buffer.substr(0, end), '\n');
  buffer.erase(0, end + 4);
  HttpSeen seen;
  const auto words = base::split(base::trim(lines[0]), ' ');
  seen.method = words[0];
  seen.path = words.size() > 1 ? words[1] : "";
  for (const auto& line : lines) {
    const auto colon = line.find(':');
    if (&line != &lines.front() && colon != std::string::npos) {
      seen.headers[base::to_lower(line.substr(0, colon))] = base::trim(line.substr(colon + 1));
    }
  }
  return seen;
}

HttpSeen HttpServer::record(HttpSeen seen) {
  const std::lock_guard lock(mutex_);
  seen.number = 1;
  for (const auto& earlier : seen_) {
    seen.number += earlier.path == seen.path ? 1U : 0U;
  }
  seen_.push_back(seen);
  return seen;
}

HttpServer::Handler HttpServer::find(const HttpSeen& seen) const {
  const std::lock_guard lock(mutex_);
  const auto exact = handlers_.find(seen.path);
  if (exact != handlers_.end()) {
    return exact->second;
  }
  const auto path = decoded(seen.path.substr(0, seen.path.find('?')));
  for (const auto& [prefix, directory] : directories_) {
    if (path.starts_with(prefix)) {
      const auto name = path.substr(prefix.size());
      return [name, root = directory](const HttpSeen& request, HttpConnection& connection) {
        try {
          const auto content = content_of(root, name);
          send_answer(
              good_answer(request, content, base::cat('"', std::hash<std::string>()(content), '"')),
              request, connection);
        } catch (const base::Error&) {
          send_answer({.status = 404, .body = "no such file\n"}, request, connection);
        }
      };
    }
  }
  return [](const HttpSeen& request, HttpConnection& connection) {
    send_answer({.status = 404, .body = "not found\n"}, request, connection);
  };
}

void HttpServer::on(const std::string& path, Handler handler) {
  const std::lock_guard lock(mutex_);
  handlers_[path] = std::move(handler);
}

void HttpServer::on(const std::string& path, HttpAnswer answer) {
  on_each(path, {std::move(answer)});
}

void HttpServer::on_each(const std::string& path, std::vector<HttpAnswer> answers) {
  on(path, [answers = std::move(answers)](const HttpSeen& seen, HttpConnection& connection) {
    send_answer(answers[std::min<std::size_t>(seen.number, answers.size()) - 1], seen, connection);
  });
}

void HttpServer::offer(const std::string& path, std::string content, std::string etag) {
  on(path, [content = std::move(content), etag = std::move(etag)](const HttpSeen& seen,
                                                                  HttpConnection& connection) {
    send_answer(good_answer(seen, content, etag), seen, connection);
  });
}

void HttpServer::offer_directory(const std::string& prefix, const std::string& directory) {
  const std::lock_guard lock(mutex_);
  directories_[prefix] = directory;
}

std::vector<HttpSeen> HttpServer::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

unsigned HttpServer::count(const std::string& path) const {
  const auto all = seen();
  return static_cast<unsigned>(std::count_if(
      all.begin(), all.end(), [&](const HttpSeen& request) { return request.path == path; }));
}

std::size_t HttpServer::connections() const {
  const std::lock_guard lock(mutex_);
  return clients_.size();
}

HttpAnswer good_answer(const HttpSeen& seen, const std::string& content, const std::string& etag) {
  HttpAnswer answer{.body = content};
  if (!etag.empty()) {
    answer.headers["ETag"] = etag;
    if (seen.header("if-none-match") == etag) {
      return {.status = 304, .headers = answer.headers, .length = false};
    }
  }
  const auto if_range = seen.header("if-range");
  const auto range = wanted_range(seen.header("range"), content.size());
  if (!range || (!if_range.empty() && if_range != etag)) {
    return answer;
  }
  const auto [first, end] = *range;
  if (first >= content.size()) {
    answer.status = 416;
    answer.headers["Content-Range"] = base::cat("bytes */", content.size());
    answer.body.clear();
    return answer;
  }
  answer.status = 206;
  answer.headers["Content-Range"] = base::cat("bytes ", first, "-", end - 1, "/", content.size());
  answer.body = content.substr(first, end - first);
  return answer;
}

void send_answer(const HttpAnswer& answer, const HttpSeen& seen, HttpConnection& connection) {
  auto head = base::cat("HTTP/1.1 ", answer.status, " Whatever\r\n");
  for (const auto& [name, value] : answer.headers) {
    head += base::cat(name, ": ", value, "\r\n");
  }
  if (answer.chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (answer.length && answer.headers.count("Content-Length") == 0) {
    head += base::cat("Content-Length: ", answer.body.size(), "\r\n");
  }
  const bool bare = seen.method == "HEAD" || answer.status == 304;
  const bool ends = !answer.length && !answer.chunked && !bare;
  head += ends ? "Connection: close\r\n\r\n" : "\r\n";
  const auto stop_at = answer.stall_at ? answer.stall_at : answer.cut_at;
  const auto body = std::string_view(answer.body).substr(0, stop_at.value_or(std::string::npos));
  connection.send(head);
  if (!bare) {
    connection.send(answer.chunked && !body.empty() ? chunk(body) : std::string(body));
  }
  if (answer.stall_at) {
    connection.stall();
  } else if (answer.cut_at || ends) {
    connection.close();
  } else if (answer.chunked && !bare) {
    connection.send("0\r\n\r\n");
  }
}

}  // namespace support
