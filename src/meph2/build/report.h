#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace meph2 {

/// A suite of a package archive, as it was when the builder read it.
struct UsedArchive {
  std::string url;     ///< http(s), above dists/; ends in "/"
  std::string suite;   ///< below dists/
  std::string sha256;  ///< of its InRelease

  bool operator==(const UsedArchive&) const = default;
};

/// A stage of a build, and how it came about.
struct ReportedStage {
  std::string name;
  std::string label;
  double seconds = 0;
  std::string outcome;  ///< "made", "taken" or "failed"
  std::string log;      ///< path; empty: none
};

/// What an image came of, as its builder says. Empty, or 0, is what it did not say.
struct ReportedInputs {
  std::string builder;         ///< its name and version, "maas-cloudimg2eph2 1.0"
  std::uint64_t revision = 0;  ///< of the builder
  std::string source_sha256;
  std::uint64_t source_size = 0;
  std::vector<UsedArchive> archives;
  std::map<std::string, std::string> packages;  ///< that came from the archives: name -> version

  bool operator==(const ReportedInputs&) const = default;
};

/// What a builder says of a build, in the file $M2E_REPORT. It comes from another program: what is
/// in it was checked for its form, and for nothing else.
struct BuildReport : ReportedInputs {
  std::vector<ReportedStage> stages;
};

/// Error(untrusted) "NAME: reason" for what has another form. Unknown keys are left out.
BuildReport parse_build_report(std::string_view text, const std::string& name);

/// The report below the directory `space`: nothing where there is none (the builder knows none)
/// and, with a warning, where it cannot be understood.
std::optional<BuildReport> read_build_report(const std::string& space, const std::string& file,
                                             const base::Log& log);

}  // namespace meph2
