#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "io/json/json.h"
#include "meph2/build/report.h"
#include "sstream/repository/generation.h"
#include "sstream/repository/repository.h"

namespace meph2 {

/// All that the files of a product's version come of. Empty is what is not known.
struct BuildInputs : ReportedInputs {
  std::string origin;  ///< file or URL of the source; tells people where, and counts for nothing
  io::Json settings = io::Json::object();  ///< build_settings()
  std::string program;                     ///< fingerprint of the builder's file

  bool operator==(const BuildInputs&) const = default;
};

/// Whether nothing is unknown that other inputs could be compared by: only then may the files be
/// used for another build.
bool is_complete(const BuildInputs& inputs);

/// XXH3 over the canonical text of all that counts: equal inputs, equal files.
std::string digest_of(const BuildInputs& inputs);

/// What the published versions of a repository were built from: .data/.sstream/builds.json. Nothing
/// depends on it but whether a build can be spared.
class BuildOrigins {
 public:
  /// None where there is no such file, and, with a warning, where it cannot be read.
  static BuildOrigins load(const sstream::Repository& repository, const base::Log& log);

  /// nullptr where nothing is recorded.
  const BuildInputs* find(const std::string& product, const std::string& version) const;

  /// Versions of a product that something is recorded of, newest first.
  std::vector<std::string> versions(const std::string& product) const;

  void set(const std::string& product, const std::string& version, BuildInputs inputs);

  /// Forgets versions that no stream of the generation has.
  void keep_live(const sstream::Generation& live);

  /// To be called under commit.lock.
  void save(const sstream::Repository& repository) const;

 private:
  using Key = std::pair<std::string, std::string>;
  std::map<Key, BuildInputs> builds_;  ///< by product and version
};

}  // namespace meph2
