#pragma once

#include <string>
#include <vector>

#include "io/json/json_fwd.h"
#include "meph2/build/inputs.h"

namespace meph2 {

/// A difference between what a version was built from and what would be taken now.
struct BuildChange {
  std::string what;    ///< "source", "setting kernel.package", "builder", "archive URL SUITE"
  std::string before;  ///< empty: there was none, or it is not recorded
  std::string after;   ///< likewise
  /// Set: that cannot be told, and why; or, in place of before and after, what is to be said.
  std::string note;
  bool known = true;  ///< false: it may be no difference at all

  bool operator==(const BuildChange&) const = default;
};

/// In the order source, settings, builder, archives, packages. Pure.
std::vector<BuildChange> compare_inputs(const BuildInputs& recorded, const InputsNow& now);

/// "setting kernel.package: linux-generic -> linux-generic-hwe".
std::string line_of(const BuildChange& change);

io::Json json_of(const BuildChange& change);

}  // namespace meph2
