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

const char* dot_style(StepState state) {
  switch (state) {
    case StepState::make:
      return "solid";
    case StepState::published:
      return "dotted";
    case StepState::reused:
      return "dashed";
  }
  return "solid";
}

}  // namespace

const char* name_of(BuildStep step) {
  switch (step) {
    case BuildStep::source:
      return "source";
    case BuildStep::adjust:
      return "adjust";
    case BuildStep::squashfs:
      return "squashfs";
    case BuildStep::manifest:
      return "manifest";
    case BuildStep::root_image:
      return "root-image";
    case BuildStep::prepare:
      return "prepare";
    case BuildStep::kernel:
      return "kernel";
    case BuildStep::installer:
      return "installer";
    case BuildStep::item:
      return "item";
  }
  return "";
}

const char* name_of(StepState state) {
  switch (state) {
    case StepState::make:
      return "make";
    case StepState::published:
      return "published";
    case StepState::reused:
      return "reused";
  }
  return "";
}

std::vector<std::string> graph_lines(const BuildGraph& graph) {
  const auto to_make = std::ranges::count_if(graph.nodes, [](const auto& node) {
    return node.kind != BuildStep::item && node.state == StepState::make;
  });
  std::vector<std::string> lines{
      base::cat(graph.name, ": ", to_make, to_make == 1 ? " step to make" : " steps to make")};
  for (const auto& node : graph.nodes) {
    const auto* line_state = name_of(node.state);
    lines.push_back(base::cat("  ", node.id, " (", line_state, ")"));
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
    out +=
        base::cat("  ", dot_string(node.id), " [shape=", shape, ", style=", dot_style(node.state),
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
