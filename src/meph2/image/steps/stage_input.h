#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "io/json/json_fwd.h"
#include "meph2/image/steps/needs.h"

namespace meph2::image {

/// The pocket of a release where its packages are tried.
struct Proposed {
  bool wanted = false;
  std::string line;   ///< for apt's sources; empty: the release needs do not say where it is
  std::string suite;  ///< "noble-proposed"
  bool all = true;    ///< its packages come before others, not only where they are asked for
};

/// Changes the root that gets published.
struct AdjustInput {
  static constexpr const char* kind = "adjust";
  Proposed proposed;
  std::vector<std::string> repositories;
  std::vector<std::string> purge;
  bool upgrade = false;
  std::vector<std::string> add;
  std::vector<std::string> divert;
};

/// Makes the layer below all kernels.
struct PrepareInput {
  static constexpr const char* kind = "prepare";
  InitrdNeeds needs;
  Proposed proposed;
  std::vector<std::string> kernels;  ///< packages
};

/// Packs one kernel.
struct KernelInput {
  static constexpr const char* kind = "kernel";
  InitrdNeeds needs;
  std::string package;
  std::vector<std::string> dtbs;
};

/// Runs the absolute path `program` on `kernel` and `initrd` in the directory `place`.
struct KihelperInput {
  static constexpr const char* kind = "kihelper";
  std::string program;
  std::string place;
  std::string version;
};

/// Makes the squashfs `output` of the merged tree with `jobs` threads.
struct SquashInput {
  static constexpr const char* kind = "squash";
  std::string output;
  unsigned jobs = 1;
  std::string compression;  ///< empty: as the file `conf` says of the release in the tree
  std::string conf;
};

/// Installs RPMs, names or URLs. A mirror that is not empty takes the place of the project's own
/// server.
struct RpmInput {
  static constexpr const char* kind = "rpm";
  std::vector<std::string> packages;
  std::string base_mirror;
  std::string epel_mirror;
};

/// Packs the merged tree as the .tar.gz `output`.
struct TarInput {
  static constexpr const char* kind = "tar";
  std::string output;
};

/// What a stage is told: the alternative is the kind of the stage.
using StageInput = std::variant<AdjustInput, PrepareInput, KernelInput, KihelperInput, SquashInput,
                                RpmInput, TarInput>;

/// "adjust": names the kind in a job's file.
const char* kind_of(const StageInput& input);

/// The fields, one key for each. Kept stages are recognised by these texts: with another key nobody
/// takes them any more.
io::Json to_json(const StageInput& input);

/// The way back. Error(internal) names the key that is missing, unknown or of the wrong type, and
/// the kind that is unknown.
StageInput stage_input(std::string_view kind, const io::Json& json);

/// A visitor of variants with one function for each alternative.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace meph2::image
