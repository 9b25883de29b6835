#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "io/http/probe.h"
#include "sstream/lint/document.h"
#include "sstream/lint/report.h"
#include "sstream/repository/context.h"

namespace sstream::lint {

/// Where the files of a stream are: a directory, or a server.
class StreamFiles {
 public:
  StreamFiles() = default;
  StreamFiles(const StreamFiles&) = delete;
  StreamFiles& operator=(const StreamFiles&) = delete;
  virtual ~StreamFiles() = default;

  /// A document of the metadata, to be read from its start; nullopt where there is none, and for
  /// a path that leads out.
  virtual std::optional<base::File> open(const std::string& path) = 0;

  virtual bool is_url() const = 0;

  /// Keyrings that are published beside the stream.
  virtual std::vector<std::string> keyrings() = 0;

  /// Told of each item that names a data file (a safe path); says what is wrong with that file.
  virtual void named(const Item& item, const std::string& path, Report& report) = 0;

  /// All items have come by. `whole`: no document was passed over, so that what was not named is
  /// not named.
  virtual void finish(bool whole, Report& report) = 0;
};

/// A directory with streams/v1. Data files that nothing names are found when they are older than
/// `grace`.
std::unique_ptr<StreamFiles> local_files(const std::string& directory, std::chrono::seconds grace,
                                         const Context& context);

/// What is asked of a server beside its documents.
struct ServerProbes {
  std::optional<std::uint64_t> sample = 20;  ///< so many of the files; nullopt: all
  unsigned jobs = 4;
  /// Whether connections for this URL are dropped; by default io::is_dropped().
  std::function<bool(const std::string& url)> is_dropped;
};

/// A server with streams/v1 below `url`. Of the data files only the heads are asked for.
std::unique_ptr<StreamFiles> remote_files(const std::string& url, ServerProbes probes,
                                          const Context& context);

}  // namespace sstream::lint
