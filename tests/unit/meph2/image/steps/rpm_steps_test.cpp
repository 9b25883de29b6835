#include "meph2/image/steps/rpm_steps.h"

#include <gtest/gtest.h>

#include "io/json/json.h"

namespace meph2::image {
namespace {

TEST(RpmMirrors, TakeThePlaceOfTheProjectsServers) {
  EXPECT_EQ(with_mirrors("[base]\nmirrorlist=http://list/\n"
                         "#baseurl=http://mirror.centos.org/centos/$releasever/os/\n",
                         "http://m", ""),
            "[base]\n#mirrorlist=http://list/\nbaseurl=http://m/centos/$releasever/os/\n");
  EXPECT_EQ(with_mirrors("metalink=https://list/\n"
                         "#baseurl=https://download.fedoraproject.org/pub/epel/7/$basearch",
                         "http://m", "http://e/epel"),
            "#metalink=https://list/\nbaseurl=http://e/epel/7/$basearch");
  EXPECT_EQ(with_mirrors("baseurl=http://mirror.centos.org/a\n", "http://m", ""),
            "baseurl=http://m/a\n");
}

TEST(RpmMirrors, LeaveOtherRepositoriesAlone) {
  for (const auto* text :
       {"", "mirrorlist=http://list/\n#baseurl=http://mirror.centos.org.example/a\n",
        "metalink=http://list/\nbaseurl=https://download.fedoraproject.org/pub/epel/7/\n"}) {
    EXPECT_EQ(with_mirrors(text, "http://m", ""), text);
  }
}

}  // namespace
}  // namespace meph2::image
