#pragma once

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/tree.h"
#include "io/hash/digest.h"
#include "tests/support/publication_world.h"
#include "tests/support/refused.h"
#include "tests/support/witness.h"

namespace support {

/// version -> the files that its items name.
using Versions = std::map<std::string, std::vector<std::string>>;

inline constexpr const char* janitor_content = "com.example:daily:download";
inline constexpr const char* janitor_product = "com.example:p:1";

/// Small streams and their data in a scratch directory; the content of a file is its own path.
class JanitorWorld : public testing::Test {
 protected:
  static sstream::ProductTree tree_of(const Versions& versions, const std::string& content_id) {
    auto tree = sstream::ProductTree::make(content_id, "image-downloads");
    for (const auto& [version, paths] : versions) {
      for (std::size_t i = 0; i < paths.size(); ++i) {
        tree.set({janitor_product, version, base::cat("item", i)},
                 {{"ftype", "squashfs"},
                  {"path", paths[i]},
                  {"size", paths[i].size()},
                  {"sha256", io::digest_hex(io::Algorithm::sha256, paths[i])}});
      }
    }
    return tree;
  }

  static sstream::PublishOptions unsigned_options() {
    sstream::PublishOptions out;
    out.action = "test";
    out.create = true;
    out.sign = false;
    out.lock_timeout = std::chrono::seconds(0);
    return out;
  }

  /// Publishes exactly these versions, with their files below scratch/`data` (the stream itself
  /// unless named).
  void publish(const std::string& name, const Versions& versions, const std::string& data = {},
               const std::string& content_id = janitor_content) {
    for (const auto& [version, paths] : versions) {
      for (const auto& path : paths) {
        if (!base::exists_at(AT_FDCWD, world.path((data.empty() ? name : data) + "/" + path))) {
          world.write((data.empty() ? name : data) + "/" + path, path);
        }
      }
    }
    sstream::publish(
        world.path(name),
        [&](const sstream::Generation&) {
          sstream::Plan plan;
          plan.streams.push_back(tree_of(versions, content_id));
          return plan;
        },
        options, world.context);
  }

  bool exists(const std::string& name) const { return base::exists_at(AT_FDCWD, world.path(name)); }

  World world;
  sstream::PublishOptions options = unsigned_options();
};

}  // namespace support
