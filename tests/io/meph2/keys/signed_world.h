#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "meph2/keys/key_rotation.h"
#include "meph2/keys/keys.h"
#include "sstream/repository/published_keyring.h"
#include "tests/support/publication_world.h"

namespace keys {

/// A signed stream, and keys to sign it with.
class SignedWorld : public testing::Test {
 protected:
  /// Made in 2025, so that the fake clock (2026-01-01) finds it in use.
  std::string make_key(const std::string& name, const std::string& expires = "none") const {
    support::KeyOptions options;
    options.user_id = name + " <" + name + "@example.com>";
    options.expires = expires;
    return home.make_key(options);
  }

  void publish(const std::string& version, const std::string& key, bool sign = true) {
    sstream::PublishOptions options;
    options.action = "test";
    options.create = true;
    options.sign = sign;
    options.key = key;
    sstream::publish(
        stream(),
        [&](const sstream::Generation& live) {
          auto found = live.read_tree("com.example:x");
          auto tree =
              found ? std::move(*found) : sstream::ProductTree::make("com.example:x", "image-ids");
          tree.set({"p", version, "i"}, {{"id", "ami-" + version}});
          sstream::Plan plan;
          plan.streams.push_back(std::move(tree));
          return plan;
        },
        options, world.context);
  }

  std::string stream() const { return world.path("s"); }

  meph2::KeyStatus status(const std::string& keyring = {}) {
    return meph2::key_status({stream(), keyring}, world.context);
  }

  std::string read(const std::string& name) const {
    return base::read_file(world.path("s/" + name));
  }

  /// Whether stock gpgv, with this keyring file of the stream's, accepts the signed index.
  bool gpgv_accepts(const std::string& keyring) const {
    return support::run_gpgv(keyring, read("streams/v1/index.sjson")).status == 0;
  }

  support::World world;
  support::GpgHome home;
};

}  // namespace keys
