#pragma once

#include <string>
#include <vector>

#include "io/json/json.h"
#include "meph2/build/inputs.h"

namespace meph2 {

/// A difference between what a version was built from and what would be taken now.
struct BuildChange {
  std::string what;         ///< "source", "setting kernel.package", "builder", "archive URL SUITE"
  std::string before = {};  ///< empty: there was none, or it is not recorded
  std::string after = {};   ///< likewise
  /// Set: that cannot be told, and why; or, in place of before and after, what is to be said.
  std::string note = {};
  bool known = true;  ///< false: it may be no difference at all

  bool operator==(const BuildChange&) const = default;
};

/// In the order source, settings, builder, archives, packages. Pure.
std::vector<BuildChange> compare_inputs(const BuildInputs& recorded, const InputsNow& now);

/// "setting kernel.package: linux-generic -> linux-generic-hwe".
std::string line_of(const BuildChange& change);

io::Json json_of(const BuildChange& change);

/// Why another build of a product would, or would not, give the same as what is published of it.
struct BuildWhy {
  std::string product;
  std::string version;    ///< the newest that is published; empty: none
  bool planned = true;    ///< the build makes it
  bool recorded = false;  ///< what the version was built from is known
  std::vector<BuildChange> changes;
};

/// Compares the record of the newest published version of `product` with what a build would take
/// now. Reads the local source, asks the builder for its version and the archives for their
/// InRelease; changes nothing. Error(not_found) for a product that is neither planned nor
/// published.
BuildWhy why_build(const std::string& repository, const std::string& content_id,
                   const std::string& product, CurrentInputs& current,
                   const sstream::Context& context);

std::vector<std::string> lines_of(const BuildWhy& why);

io::Json json_of(const BuildWhy& why);

}  // namespace meph2
