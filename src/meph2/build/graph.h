#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/json/json_fwd.h"
#include "meph2/build/plan.h"

namespace meph2 {

/// A step of a build, or a file that comes of it.
enum class BuildStep : std::uint8_t {
  source,
  adjust,
  squashfs,
  manifest,
  root_image,
  prepare,
  kernel,
  installer,
  item
};

/// "root-image" for BuildStep::root_image, and so on.
const char* name_of(BuildStep step);

enum class StepState : std::uint8_t {
  make,       ///< is to be done
  published,  ///< is in the stream already
};

struct BuildNode {
  std::string id;
  BuildStep kind = BuildStep::source;
  std::vector<std::string> reads;    ///< ids
  std::string reason;                ///< why it is there
  std::vector<std::string> outputs;  ///< paths below the stream's root
  StepState state = StepState::make;
};

/// The steps of one build: what is read stands before who reads it.
struct BuildGraph {
  std::string name;  ///< "noble/amd64/20240501"
  std::vector<BuildNode> nodes;
};

/// What a plan does not say of a build.
struct BuildFacts {
  std::string source;                 ///< file or URL
  std::optional<bool> is_squashfs;    ///< of the source; nothing: not known before it is fetched
  bool installer = false;             ///< the debian-installer's files are wanted
  bool added_packages = false;        ///< by $M2E_ADD_PACKAGES or $M2E_ADD_REPOS
  StepState state = StepState::make;  ///< of all that the builder makes
  StepState installer_state = StepState::make;
};

/// Pure, and the same every time. Kernels of one package are one step.
BuildGraph build_graph(const BuildPlan& plan, const BuildFacts& facts);

/// For people: a step in a line of its own, and what is to be said of it below, indented.
std::vector<std::string> graph_lines(const BuildGraph& graph);

io::Json graph_json(const BuildGraph& graph);

/// A directed graph in Graphviz's language.
std::string graph_dot(const BuildGraph& graph);

}  // namespace meph2
