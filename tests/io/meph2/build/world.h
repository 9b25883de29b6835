#pragma once

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/fs/temp_dir.h"
#include "base/log.h"
#include "io/http/http.h"
#include "io/json/json.h"
#include "meph2/build/build.h"
#include "meph2/cloudimg/sync.h"
#include "tests/support/gpg_home.h"

namespace world {

/// Serves what the test puts into `files`, by URL.
class FakeHttp : public io::HttpClient {
 public:
  std::map<std::string, std::string> files;
  std::set<std::string> cut;                     ///< deliver half of it once, then fail
  std::map<std::string, std::size_t> delivered;  ///< bytes of file bodies, by URL

  std::optional<io::Document> get(const io::Request& request, const std::stop_token& stop) override;
  void fetch(std::vector<io::FileRequest>& requests, base::Progress& progress,
             const std::function<void(std::size_t, std::exception_ptr)>& done,
             const std::stop_token& stop) override;

  io::ResponseHead probe(const std::string& url, const std::stop_token&) override;

  /// How often anything was asked of it.
  std::atomic<std::size_t> asked{0};

 private:
  /// The first of the request's URLs that is there.
  const std::string* find(const io::Request& request);
};

/// A directory, a clock, a network and a builder for one test.
class World {
 public:
  World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  std::string path(const std::string& below) const { return directory_.path() + "/" + below; }

  void write(const std::string& below, const std::string& text) const;
  std::string read(const std::string& below) const;
  bool exists(const std::string& below) const;
  io::Json json(const std::string& below) const;

  /// Relative names of all files and their contents, private ones aside.
  std::map<std::string, std::string> tree(const std::string& below) const;

  /// An executable of its own instead of the stand-in.
  void use_builder(const std::string& script) const;

  const sstream::Context& context() const { return context_; }

  /// Everything that was logged, one line each.
  std::string logged() const;

  support::FakeClock clock;
  FakeHttp http;
  std::stop_source stop;

 private:
  base::TempDir directory_{"build-"};
  std::vector<std::string> lines_;
  base::Log log_;
  base::NullProgress progress_;
  sstream::Context context_;
};

/// One version of one cloud image for a source stream.
struct Offer {
  std::string release = "noble";
  std::string version = "24.04";
  std::string arch = "amd64";
  std::string serial = "20240105";
};

inline constexpr const char* daily = "com.ubuntu.cloud:daily:download";

/// Writes a cloud-images style stream with these images (squashfs and tar.gz) below `directory`;
/// returns the location of its products file.
std::string make_source(const World& world, const std::string& directory,
                        const std::vector<Offer>& offers, const std::string& content_id = daily);

/// Puts everything below `directory` on the fake network, under `url` (which ends in "/").
void serve(World& world, const std::string& directory, const std::string& url);

/// Options for the small configuration, target forced, both arches.
meph2::CloudimgSyncOptions sync_options(const World& world, const std::string& source);
meph2::BuildImageOptions build_options(const World& world);

/// The products file of the output.
/// What make_source publishes.
inline const std::string products_file = "ci/streams/v1/com.ubuntu.cloud:daily:download.json";
inline const std::string maas_file = "streams/v1/com.ubuntu.maas:candidate:v3:download.json";

/// "product/version" of all versions in a products file, sorted.
std::vector<std::string> versions_of(const io::Json& stream);

}  // namespace world
