#include <algorithm>

#include "base/strings.h"
#include "meph2/build/graph.h"

namespace meph2 {

namespace {

/// A quoted string of Graphviz: a backslash there begins an escape of its own, as "\N" for the name
/// of the node.
std::string dot_string(const std::string& text) {
  auto out = base::replace_all(base::escape_control(text), "\\", "\\\\");
  return base::cat('"', base::replace_all(std::move(out), "\"", "\\\""), '"');
}

const char* name_of(StepState state) {
  return state == StepState::published ? "published" : "make";
}

}  // namespace

std::vector<std::string> graph_lines(const BuildGraph& graph) {
  const auto to_make = std::ranges::count_if(graph.nodes, [](const auto& node) {
    return node.kind != BuildStep::item && node.state == StepState::make;
  });
  std::vector<std::string> lines{
      base::cat(graph.name, ": ", to_make, to_make == 1 ? " step to make" : " steps to make")};
  for (const auto& node : graph.nodes) {
    lines.push_back(base::cat("  ", node.id, " (", name_of(node.state), ")"));
    lines.push_back(base::cat("    why: ", node.reason));
    if (!node.reads.empty()) {
      lines.push_back(base::cat("    reads: ", base::join(node.reads, ", ")));
    }
    if (node.kind != BuildStep::item) {
      for (const auto& path : node.outputs) {
        lines.push_back(base::cat("    makes: ", path));
      }
    }
  }
  return lines;
}

io::Json graph_json(const BuildGraph& graph) {
  auto nodes = io::Json::array();
  for (const auto& node : graph.nodes) {
    nodes.push_back({{"id", node.id},
                     {"kind", name_of(node.kind)},
                     {"outputs", node.outputs},
                     {"reads", node.reads},
                     {"reason", node.reason},
                     {"state", name_of(node.state)}});
  }
  return {{"name", graph.name}, {"nodes", std::move(nodes)}};
}

std::string graph_dot(const BuildGraph& graph) {
  auto out = base::cat("digraph ", dot_string(graph.name), " {\n  rankdir=LR;\n");
  for (const auto& node : graph.nodes) {
    const auto* shape = node.kind == BuildStep::item ? "note" : "box";
    out += base::cat("  ", dot_string(node.id), " [shape=", shape,
                     ", style=", node.state == StepState::published ? "dotted" : "solid",
                     ", tooltip=", dot_string(node.reason), "];\n");
  }
  for (const auto& node : graph.nodes) {
    for (const auto& read : node.reads) {
      out += base::cat("  ", dot_string(read), " -> ", dot_string(node.id), ";\n");
    }
  }
  return out + "}\n";
}

}  // namespace meph2
