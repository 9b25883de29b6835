#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "io/openpgp/openpgp.h"
#include "sstream/publish/publication.h"
#include "tests/support/gpg_home.h"
#include "tests/support/no_network.h"

namespace support {

/// A place to publish in: a clock that stands still, a log that is kept, a scratch directory.
class World {
 public:
  FakeClock clock{base::Time(std::chrono::seconds(1767225600))};  // 2026-01-01
  std::vector<std::string> lines;
  base::Log log{"test", base::LogLevel::debug,
                [this](base::LogLevel, const std::string& line) { lines.push_back(line); }};
  base::NullProgress progress;
  NoNetwork network;
  sstream::Context context{clock, log, progress, network, {}};
  base::TempDir scratch{"pub-"};

  std::string path(const std::string& name) const { return scratch.path() + "/" + name; }

  /// Writes scratch/`name`, directories made.
  std::string write(const std::string& name, const std::string& content) const {
    const auto full = path(name);
    base::make_directories(full.substr(0, full.rfind('/')));
    base::replace_file(full, content);
    return full;
  }

  io::Json read_json(const std::string& name) const {
    return io::parse_json(base::read_file(path(name)), name);
  }
};

}  // namespace support
