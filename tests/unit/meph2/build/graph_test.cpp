#include "meph2/build/graph.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace {

using meph2::BuildFacts;
using meph2::BuildGraph;
using meph2::BuildNode;
using meph2::BuildRequest;
using meph2::StepState;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

meph2::StreamConfig config_of(const std::string& text) {
  return meph2::parse_stream_config(
      base::cat("releases:\n - version: '24.04'\n   release: noble\n   kernels:\n"
                "    - [noble, amd64, ga-24.04, generic, linux-generic, [generic]]\n"
                "    - [noble, amd64, ga-24.04-twin, generic, linux-generic, [generic]]\n"
                "    - [noble, amd64, hwe-24.04, generic, linux-hwe, [generic]]\n"
                "content_id: com.example:v3\nproduct_id_pre: com.example\n"
                "kname: '%(subarch)s'\n",
                text),
      "test.yaml");
}

meph2::BuildPlan plan_of(const std::string& config, const BuildRequest& wanted = {}) {
  auto request = wanted;
  request.arch = "amd64";
  request.release = "noble";
  request.version_name = "1";
  return meph2::plan_build(config_of(config), request, nullptr);
}

const std::string squashfs_only = "squashfs: True\n";

BuildFacts facts(std::optional<bool> is_squashfs = true) {
  BuildFacts known;
  known.source = "noble.squashfs";
  known.is_squashfs = is_squashfs;
  return known;
}

/// "kernel:linux-generic < prepare" of all that is no item.
std::vector<std::string> steps_of(const BuildGraph& graph) {
  std::vector<std::string> list;
  for (const auto& node : graph.nodes) {
    if (node.kind != meph2::BuildStep::item) {
      list.push_back(node.reads.empty() ? node.id
                                        : base::cat(node.id, " < ", base::join(node.reads, " ")));
    }
  }
  return list;
}

const BuildNode& node_of(const BuildGraph& graph, const std::string& id) {
  static const BuildNode none;
  const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                  [&](const BuildNode& node) { return node.id == id; });
  EXPECT_NE(found, graph.nodes.end()) << id;
  return found == graph.nodes.end() ? none : *found;
}

TEST(BuildGraph, AnUnchangedRootGoesStraightIntoThePublication) {
  const auto graph = build_graph(plan_of(squashfs_only), facts());
  EXPECT_EQ(graph.name, "noble/amd64/1");
  EXPECT_THAT(steps_of(graph),
              ElementsAre("source", "squashfs < source", "manifest < source", "prepare < source",
                          "kernel:linux-generic < prepare", "kernel:linux-hwe < prepare"));
  EXPECT_EQ(node_of(graph, "squashfs").reason,
            "no package is changed: the source's squashfs is published as it is");
  EXPECT_THAT(node_of(graph, "squashfs").outputs, ElementsAre("noble/amd64/1/squashfs"));
  EXPECT_THAT(node_of(graph, "kernel:linux-generic").reason,
              HasSubstr("kernel linux-generic is asked for by com.example:24.04:amd64:ga-24.04, "
                        "com.example:24.04:amd64:ga-24.04-twin"));
  EXPECT_EQ(node_of(graph, "kernel:linux-generic").outputs.size(), 4U);
}

struct Case {
  std::string config;
  BuildRequest request;
  BuildFacts facts;
  std::string node;
  std::string reason;
};

void PrintTo(const Case& row, std::ostream* out) {
  *out << row.reason;
}

class BuildGraphReasons : public testing::TestWithParam<Case> {};

TEST_P(BuildGraphReasons, AreSaid) {
  const auto& row = GetParam();
  const auto graph = build_graph(plan_of(row.config, row.request), row.facts);
  EXPECT_EQ(node_of(graph, row.node).reason, row.reason);
}

BuildRequest proposed() {
  BuildRequest request;
  request.proposed = true;
  return request;
}

BuildRequest purging() {
  BuildRequest request;
  request.pre_purge_packages = "snapd";
  return request;
}

BuildFacts adding() {
  auto known = facts();
  known.added_packages = true;
  return known;
}

BuildFacts with_installer() {
  auto known = facts();
  known.installer = true;
  return known;
}

INSTANTIATE_TEST_SUITE_P(
    Of, BuildGraphReasons,
    testing::Values(
        Case{squashfs_only,
             {},
             facts(false),
             "squashfs",
             "no package is changed, but the source is no squashfs: its root is packed"},
        Case{squashfs_only,
             {},
             facts(std::nullopt),
             "squashfs",
             "no package is changed: a squashfs is published as it is, any other root is packed"},
        Case{squashfs_only, proposed(), facts(), "adjust",
             "packages come from the -proposed pocket"},
        Case{squashfs_only, purging(), facts(), "adjust", "packages are removed"},
        Case{squashfs_only, {}, adding(), "adjust", "packages are added"},
        Case{squashfs_only,
             {},
             adding(),
             "squashfs",
             "packages are changed: the root is packed anew"},
        Case{"squashfs: True\nroot_image: True\n",
             {},
             facts(),
             "root-image",
             "a root image is asked for, beside a squashfs"},
        Case{"squashfs: False\n",
             {},
             facts(),
             "root-image",
             "a root image is asked for, in place of a squashfs"},
        Case{squashfs_only,
             {},
             with_installer(),
             "installer",
             "the debian-installer's kernels are asked for"}),
    [](const auto& given) {
      return base::cat(base::replace_all(given.param.node, "-", "_"), "_", given.index);
    });

TEST(BuildGraph, AChangedRootIsWhatTheRestIsMadeOf) {
  const auto graph = build_graph(plan_of(squashfs_only, proposed()), facts());
  EXPECT_THAT(steps_of(graph),
              ElementsAre("source", "adjust < source", "squashfs < adjust", "manifest < adjust",
                          "prepare < adjust", "kernel:linux-generic < prepare",
                          "kernel:linux-hwe < prepare"));
}

TEST(BuildGraph, WhatIsReadStandsBeforeWhoReadsIt) {
  const auto graph =
      build_graph(plan_of("squashfs: True\nroot_image: True\n", proposed()), with_installer());
  std::set<std::string> seen;
  for (const auto& node : graph.nodes) {
    for (const auto& read : node.reads) {
      EXPECT_TRUE(seen.contains(read)) << node.id << " reads " << read;
    }
    EXPECT_TRUE(seen.insert(node.id).second) << node.id;
  }
  EXPECT_EQ(graph_json(graph),
            graph_json(build_graph(plan_of("squashfs: True\nroot_image: True\n", proposed()),
                                   with_installer())));
}

TEST(BuildGraph, EachPublishedFileIsAnItemOnce) {
  const auto plan = plan_of(squashfs_only);
  auto known = facts();
  known.state = StepState::published;
  const auto graph = build_graph(plan, known);
  std::vector<std::string> paths;
  for (const auto& node : graph.nodes) {
    EXPECT_EQ(node.state, StepState::published);
    if (node.kind == meph2::BuildStep::item) {
      EXPECT_EQ(node.reads.size(), 1U);
      paths.insert(paths.end(), node.outputs.begin(), node.outputs.end());
    }
  }
  EXPECT_THAT(paths, testing::UnorderedElementsAreArray(plan.paths));
  EXPECT_THAT(node_of(graph, "item:noble/amd64/1/squashfs").reason,
              HasSubstr("published as squashfs of com.example:24.04:amd64:ga-24.04, "));
}

TEST(BuildGraph, TextSaysWhatIsMadeOfWhatAndWhy) {
  const auto lines = graph_lines(build_graph(plan_of(squashfs_only), facts()));
  EXPECT_EQ(lines.front(), "noble/amd64/1: 6 steps to make");
  EXPECT_THAT(lines, Contains("  kernel:linux-hwe (make)"));
  EXPECT_THAT(lines, Contains("    reads: prepare"));
  EXPECT_THAT(lines, Contains("    why: everything is made from noble.squashfs"));
  EXPECT_THAT(lines, Contains("    makes: noble/amd64/1/squashfs"));
}

TEST(BuildGraph, JsonHasAllOfANode) {
  const auto json = graph_json(build_graph(plan_of(squashfs_only), facts()));
  EXPECT_EQ(json.at("name"), "noble/amd64/1");
  const auto& node = json.at("nodes").at(1);
  EXPECT_EQ(node.at("id"), "squashfs");
  EXPECT_EQ(node.at("kind"), "squashfs");
  EXPECT_EQ(node.at("state"), "make");
  EXPECT_EQ(node.at("reads"), io::Json({"source"}));
  EXPECT_EQ(node.at("outputs"), io::Json({"noble/amd64/1/squashfs"}));
}

/// Reads a line of dot: quoted strings become S, so that its form can be compared.
std::string form_of(const std::string& line, std::vector<std::string>& strings) {
  std::string form;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '"') {
      form += line[i];
      continue;
    }
    std::string text;
    for (++i; i < line.size() && line[i] != '"'; ++i) {
      i += line[i] == '\\' ? 1U : 0U;
      text += line.at(i);
    }
    EXPECT_LT(i, line.size()) << "no end of the string: " << line;
    strings.push_back(text);
    form += 'S';
  }
  return form;
}

TEST(BuildGraph, DotIsWellFormedWhateverTheNamesAre) {
  BuildGraph graph;
  graph.name = "a \"name\"";
  graph.nodes.push_back(
      {"so\\urce", meph2::BuildStep::source, {}, "why \"this\"\nthen \\", {}, {}});
  graph.nodes.push_back(
      {"item:x", meph2::BuildStep::item, {"so\\urce"}, "it", {"x"}, StepState::published});
  const auto lines = base::split(graph_dot(graph), '\n');
  std::vector<std::string> strings;
  std::vector<std::string> forms;
  for (const auto& line : lines) {
    forms.push_back(form_of(line, strings));
  }
  EXPECT_THAT(
      forms, ElementsAre("digraph S {", "  rankdir=LR;", "  S [shape=box, style=solid, tooltip=S];",
                         "  S [shape=note, style=dotted, tooltip=S];", "  S -> S;", "}", ""));
  EXPECT_THAT(strings, ElementsAre("a \"name\"", "so\\urce", "why \"this\"\\x0athen \\", "item:x",
                                   "it", "so\\urce", "item:x"));
}

}  // namespace
