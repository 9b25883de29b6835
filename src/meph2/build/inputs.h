#pragma once

#include <map>
#include <optional>
#include <string>

#include "meph2/build/builder.h"
#include "meph2/build/origins.h"
#include "meph2/build/plan.h"
#include "sstream/repository/context.h"

namespace meph2 {

/// What the builder is told that decides about the files of a product, the environment that it
/// inherits included; nothing that only names them or that is only metadata.
io::Json build_settings(const BuildPlan& plan, const PlannedProduct& product,
                        const BuilderOptions& builder);

/// What a build would come of now. `unknown` says why something in `inputs` is empty, by "source",
/// "builder" and archive_name().
struct InputsNow {
  BuildInputs inputs;
  std::map<std::string, std::string> unknown;
};

/// "archive URL SUITE".
std::string archive_name(const UsedArchive& archive);

/// Finds out what the inputs of a build are before it is made; what takes a look at a large file,
/// at another program or at the network is looked at once, when it is asked for.
class CurrentInputs {
 public:
  /// `source` is a file or URL; `known` is what somebody trustworthy promised of it.
  CurrentInputs(const BuildPlan& plan, BuilderOptions builder, std::string source,
                std::optional<sstream::Checksums> known, const sstream::Context& context);

  const BuildPlan& plan() const { return plan_; }

  const BuilderOptions& builder() const { return builder_; }

  io::Json settings(const PlannedProduct& product) const {
    return build_settings(plan_, product, builder_);
  }

  /// File or URL, as it was given.
  const std::string& source_name() const { return source_; }

  /// Size and sha256; nothing for a URL of which nothing is known.
  const std::optional<sstream::Checksums>& source();

  /// What was `recorded`, with everything in its place that can be known of it now. The packages
  /// stay: they are what the archives offered.
  InputsNow instead_of(const BuildInputs& recorded, const PlannedProduct& product);

  /// For the record of a build: all products, without what only the builder's report says.
  std::map<std::string, BuildInputs> before_build();

 private:
  struct Found {
    std::string value;  ///< empty: unknown
    std::string reason;
  };

  static Found ask_builder(const std::stop_token& stop);
  const Found& builder_text();
  const Found& program();
  const Found& archive(const UsedArchive& archive);

  const BuildPlan& plan_;
  BuilderOptions builder_;
  std::string source_;
  std::optional<sstream::Checksums> sums_;
  const sstream::Context& context_;
  std::optional<Found> builder_text_;
  std::optional<Found> program_;
  std::map<std::string, Found> archives_;  ///< by archive_name()
};

/// What the products of one version were built from.
struct RecordedVersion {
  std::string version;
  std::map<std::string, BuildInputs> by_product;  ///< none: nothing is known, nothing is recorded
};

/// Records them, and forgets versions that the repository no longer has. To be called after the
/// publication, which stands whatever happens here: what fails is a warning.
void record_builds(const std::string& repository, const std::vector<RecordedVersion>& versions,
                   std::chrono::seconds lock_timeout, const sstream::Context& context);

}  // namespace meph2
