#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "base/progress.h"
#include "io/hash/digest.h"
#include "io/http/head.h"

namespace io {

/// One thing to fetch. http and https only.
struct Request {
  std::string url;
  std::vector<std::string> mirrors;  ///< other URLs of the same content, tried in turn
  std::uint64_t max_bytes = 0;  ///< a byte more is an error; compressed metadata counts decoded. 0:
                                ///< 256 MiB for get(), the size for fetch()
  std::string known_etag;       ///< get() of an unchanged document answers not_modified
  std::string known_date;       ///< the same by its Last-Modified, where there is no tag
  base::File* save_to = nullptr;  ///< get(): the body is written here, from its start, and is not
                                  ///< in Document::body; nothing but its length is verified
};

/// Into memory, for metadata.
struct Document {
  std::string body;
  std::string url;  ///< after redirects, without credentials
  std::string etag;
  std::string last_modified;
  /// last_modified, if nothing can have changed later in the same second (RFC 9110
  /// section 8.8.2.2): fit for Request::known_date.
  std::string strong_date;
  bool not_modified = false;
};

/// What a download must turn out to be.
struct FileRequest : Request {
  std::uint64_t size = 0;  ///< exact
  Algorithm algorithm = Algorithm::sha256;
  std::string digest;  ///< lower-case hex
  base::File* into =
      nullptr;       ///< written from its start; what is there already is re-hashed and resumed
  std::string etag;  ///< of the part that is there, if known; updated
};

struct HttpOptions {
  std::string user_agent;
  std::string ca_file;
  unsigned jobs = 4;             ///< transfers at once
  unsigned jobs_per_host = 8;    ///< of these at most so many from one server
  std::uint64_t limit_rate = 0;  ///< bytes per second over all, 0: none
  bool netrc = false;
  unsigned tries = 5;  ///< failures in a row, without a byte gained, per URL
  std::chrono::milliseconds connect_time{30000};
  std::chrono::seconds stall_time{30};         ///< slower than 1 KiB/s for so long is a failure
  std::chrono::milliseconds first_wait{1000};  ///< before the second try; then doubled
  std::chrono::milliseconds longest_wait{30000};
};

/// The seam between the network and everything else; tests put a fake here.
class HttpClient {
 public:
  HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  virtual ~HttpClient() = default;

  /// nullopt for 404 and 410. Other failures are Error(failed) naming URL (no credentials) and
  /// cause; a body beyond max_bytes is Error(untrusted).
  virtual std::optional<Document> get(const Request& request, const std::stop_token& stop) = 0;

  /// Downloads all, several at a time, each resumed where possible and verified against size and
  /// digest while the bytes pass. `done(index, error)` is told once per file, in the calling
  /// thread; error is null for success, Error(untrusted) where the bytes are not the promised ones,
  /// Error(not_found) for 404 and 410, else Error(failed), with errno where the disk failed. Throws
  /// only for a stop request (and what `done` throws). Tells `progress` of all bytes and items.
  virtual void fetch(std::vector<FileRequest>& requests, base::Progress& progress,
                     const std::function<void(std::size_t index, std::exception_ptr error)>& done,
                     const std::stop_token& stop) = 0;

  /// One HEAD request that says it takes compressed answers, as browsers and httpx do; where the
  /// server knows no HEAD, a GET that ends before its body. Error(failed) where there is no answer
  /// at all (certificate, connection, time).
  virtual ResponseHead probe(const std::string& url, const std::stop_token& stop) = 0;
};

/// The real one (libcurl, one multi loop). Costs nothing before its first request. Proxies and
/// no_proxy come from the environment, as for curl. May be used by several threads.
std::unique_ptr<HttpClient> make_http_client(const HttpOptions& options);

bool is_http_url(const std::string& text);

}  // namespace io
