#include "meph2/image/recipe.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace meph2::image {
namespace {

const KnownRoot adjusted{.base = "b", .adjusted = true, .layer = "a"};

/// Stages of a build that died are recognised by these texts: one that is written in another way
/// is a stage that nobody takes any more.
class Recorded : public testing::Test {
 protected:
  Recorded() {
    ::setenv("SOURCE_DATE_EPOCH", "7", 1);
    options_.arch = "amd64";
    options_.packs = {parse_kernel_pack("linux,k,i,--dtb=a.dtb=d")};
    needs_.proposed_mirrors = {{"amd64", "http://p"}};
    needs_.proposed_suite = "%(codename)s-proposed";
    needs_.proposed_components = "main";
    needs_.compression = "xz";
    needs_.initrd.generator = {"g"};
    needs_.initrd.initrd_packages = {"ip"};
    needs_.initrd.initrd_optional = {"io"};
    needs_.initrd.dracut_packages = {"dp"};
    needs_.initrd.purge = {"pu"};
    needs_.initrd.modules = {"mo"};
    needs_.initrd.dracut_modules = {"dm"};
    needs_.initrd.dracut_drivers = {"dd"};
    needs_.initrd.files = {{"/f", "text"}};
    needs_.initrd.scratch_remove = {"/s"};
    needs_.initrd.divert = {"/d"};
  }

  ~Recorded() override { ::unsetenv("SOURCE_DATE_EPOCH"); }

  Recipe recipe() const { return {options_, {"ubuntu", "noble"}, needs_}; }

  BuildOptions options_;
  ReleaseNeeds needs_;
};

TEST_F(Recorded, Adjustment) {
  options_.kernel = "linux-image";
  options_.add_packages = {"vim"};
  options_.proposed_packages = {"new"};
  options_.pre_purge_packages = {"old"};
  options_.add_repositories = {"deb http://r s main"};
  EXPECT_EQ(recipe().adjust_stage("b").inputs->dump(),
            R"({"base":"b","epoch":"7","input":{"add":["vim","new/noble-proposed",)"
            R"("linux-image"],"divert":["/d"],"proposed":true,"proposed_all":false,)"
            R"("proposed_line":"deb http://p noble-proposed main",)"
            R"("proposed_suite":"noble-proposed","purge_packages":["old"],)"
            R"("repositories":["deb http://r s main"],"upgrade":false}})");
}

TEST_F(Recorded, Preparation) {
  options_.proposed = true;
  EXPECT_EQ(recipe().prepare_stage(adjusted).inputs->dump(),
            R"({"adjust":"a","base":"b","input":{"divert":["/d"],"dracut_drivers":["dd"],)"
            R"("dracut_modules":["dm"],"dracut_packages":["dp"],"files":{"/f":"text"},)"
            R"("generator":["g"],"initrd_optional":["io"],"initrd_packages":["ip"],)"
            R"("kernels":["linux"],"modules":["mo"],"proposed":true,"proposed_all":true,)"
            R"("proposed_line":"deb http://p noble-proposed main",)"
            R"("proposed_suite":"noble-proposed","purge":["pu"],"scratch_remove":["/s"]}})");
}

TEST_F(Recorded, Kernel) {
  const auto works = kernel_works(options_.packs);
  EXPECT_EQ(recipe().kernel_stage(works.at(0), "p").inputs->dump(),
            R"({"epoch":"7","input":{"divert":["/d"],"dracut_drivers":["dd"],)"
            R"("dracut_modules":["dm"],"dracut_packages":["dp"],"dtbs":["a.dtb"],)"
            R"("files":{"/f":"text"},"generator":["g"],"initrd_optional":["io"],)"
            R"("initrd_packages":["ip"],"modules":["mo"],"package":"linux","purge":["pu"],)"
            R"("scratch_remove":["/s"]},"kihelpers":[],"prepare":"p"})");
}

TEST_F(Recorded, Squashfs) {
  EXPECT_EQ(recipe().squashfs_stage(adjusted).inputs->dump(),
            R"({"adjust":"a","base":"b","compression":"xz","epoch":"7"})");
  EXPECT_EQ(root_image_stage({.size = 9}, {.base = "b"}).inputs->dump(),
            R"({"adjust":"","base":"b","epoch":"7","size":9})");
}

TEST(KnownRoot, RecordsNothingWhereAPartWasNotKept) {
  EXPECT_EQ(KnownRoot{.base = {}}.inputs(), std::nullopt);
  EXPECT_EQ((KnownRoot{.base = "b", .adjusted = true}.inputs()), std::nullopt);
}

}  // namespace
}  // namespace meph2::image
