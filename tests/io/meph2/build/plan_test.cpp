#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "tests/io/meph2/build/world.h"

namespace {

using meph2::StepState;
using testing::HasSubstr;
using world::build_options;
using world::World;

const meph2::BuildNode& node_of(const meph2::BuildGraph& graph, const std::string& id) {
  const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                  [&](const auto& node) { return node.id == id; });
  if (found == graph.nodes.end()) {
    throw base::Error(base::Errc::not_found, "no node " + id);
  }
  return *found;
}

TEST(PlanImage, BuildsNothingAndWritesNothing) {
  const World world;
  world.use_builder("echo called >>\"${0%/*}/called\"; exit 9\n");
  const auto graph = meph2::plan_image(build_options(world), world.context());
  EXPECT_EQ(node_of(graph, "squashfs").state, StepState::make);
  EXPECT_FALSE(world.exists("called"));
  EXPECT_FALSE(world.exists("out"));
}

TEST(PlanImage, SaysWhatIsPublishedAndLeavesItAlone) {
  World world;
  const auto options = build_options(world);
  meph2::build_image(options, world.context());
  const auto before = world.tree("out");
  world.use_builder("exit 9\n");
  for (const auto& node : meph2::plan_image(options, world.context()).nodes) {
    EXPECT_EQ(node.state, StepState::published) << node.id;
  }
  EXPECT_EQ(world.tree("out"), before);
  EXPECT_EQ(world.http.asked, 0U);
}

TEST(PlanImage, LooksIntoALocalSource) {
  const World world;
  auto options = build_options(world);
  const auto reason = [&] {
    return node_of(meph2::plan_image(options, world.context()), "squashfs").reason;
  };
  EXPECT_THAT(reason(), HasSubstr("a squashfs is published as it is, any other root is packed"));
  world.write("noble.squashfs", "hsqs" + std::string(200, '\0'));
  EXPECT_THAT(reason(), HasSubstr("the source's squashfs is published as it is"));
  options.source = world.path("nosuch");
  EXPECT_THROW(reason(), base::Error);
}

TEST(PlanImage, TheInstallerIsAStepOfItsOwn) {
  World world;
  auto options = build_options(world);
  options.enable_di = true;
  const auto graph = meph2::plan_image(options, world.context());
  EXPECT_EQ(node_of(graph, "installer").state, StepState::make);
  EXPECT_EQ(world.http.asked, 0U);
}

}  // namespace
