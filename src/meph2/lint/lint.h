#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/http/http.h"
#include "meph2/lint/profiles.h"
#include "sstream/lint/lint.h"

namespace meph2 {

struct LintOptions {
  std::string where;  ///< a directory, a document in streams/v1, or a URL
  /// Names; empty: those that were chosen for the directory, else what the stream seems to be for.
  std::vector<std::string> profiles;
  bool remember = false;  ///< choose `profiles` for the directory, as choose_profiles() does
  std::vector<std::string> keyrings;                  ///< empty: those that the stream publishes
  std::chrono::seconds grace = std::chrono::days(3);  ///< younger files may be without a name
  std::size_t keep_per_rule = SIZE_MAX;
  bool files = true;
  bool data = false;  ///< read root file systems, for their combined fingerprints
  std::optional<std::uint64_t> sample = 20;  ///< of a URL: probe so many files; nullopt: all
  unsigned jobs = 4;                         ///< of a URL: so many at a time
};

/// Looks at a stream with the eyes of its consumers; see sstream::lint::lint(). Changes no more
/// than `remember` says.
sstream::lint::Result lint(const LintOptions& options, const sstream::Context& context);

}  // namespace meph2
