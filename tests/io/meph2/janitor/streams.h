#pragma once

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/tree.h"
#include "io/hash/digest.h"
#include "tests/support/publication_world.h"

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

  /// Code and message of the error that `work` has to end in.
  static base::Errc code_of(const std::function<void()>& work, std::string* what = nullptr) {
    try {
      work();
    } catch (const base::Error& error) {
      if (what != nullptr) {
        *what = error.what();
      }
      return error.code();
    }
    ADD_FAILURE() << "no error";
    return base::Errc::internal;
  }

  World world;
  sstream::PublishOptions options = unsigned_options();
};

/// Path -> mtime and content of everything below a directory.
inline std::map<std::string, std::pair<std::int64_t, std::string>> witness(
    const std::string& path) {
  std::map<std::string, std::pair<std::int64_t, std::string>> files;
  const auto root = base::open_directory(path);
  base::walk_tree(root.fd(), [&](const std::string& name, const struct stat& status) {
    if (S_ISREG(status.st_mode)) {
      files[name] = {status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
                     base::read_file(path + "/" + name)};
    } else {
      files[name] = {0, ""};
    }
    return true;
  });
  return files;
}

}  // namespace support
