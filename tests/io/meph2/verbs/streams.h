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

namespace verbs {

inline constexpr const char* daily = "com.ubuntu.maas:daily:v3:download";
inline constexpr const char* released = "com.ubuntu.maas:v3:download";

/// An image for a stream: product "com.ubuntu.maas.daily:v3:boot:24.04:amd64:SUBARCH" unless named.
struct Image {
  std::string subarch = "ga-24.04";
  std::string version = "20260101";
  std::string kernel = "kernel";      ///< content
  std::string squashfs = "squashfs";  ///< content; its path has no subarch: products share it
};

/// Streams to try the verbs on, and what became of them.
class Verb : public testing::Test {
 protected:
  static sstream::PublishOptions unsigned_options(const std::string& action) {
    sstream::PublishOptions options;
    options.action = action;
    options.create = true;
    options.sign = false;
    options.lock_timeout = std::chrono::seconds(0);
    return options;
  }

  static std::string product_of(const std::string& subarch, const std::string& channel = ".daily") {
    return base::cat("com.ubuntu.maas", channel, ":v3:boot:24.04:amd64:", subarch);
  }

  io::Json item(const std::string& stream, const std::string& path, const std::string& ftype,
                const std::string& content) const {
    world.write(base::cat(stream, "/", path), content);
    return {{"ftype", ftype},
            {"path", path},
            {"sha256", io::digest_hex(io::Algorithm::sha256, content)},
            {"size", content.size()}};
  }

  /// Adds images to a stream in scratch/`stream`, made if absent.
  void make_stream(const std::string& stream, const std::vector<Image>& images,
                   const std::string& content_id = daily,
                   const std::string& channel = ".daily") const {
    const auto file = base::cat(stream, "/streams/v1/", content_id, ".json");
    auto tree = base::exists_at(AT_FDCWD, world.path(file))
                    ? world.read_json(file)
                    : io::Json{{"content_id", content_id},
                               {"datatype", "image-downloads"},
                               {"format", "products:1.0"},
                               {"products", io::Json::object()},
                               {"updated", "Mon, 01 Dec 2025 00:00:00 +0000"}};
    for (const auto& image : images) {
      auto& product = tree["products"][product_of(image.subarch, channel)];
      product["arch"] = "amd64";
      product["label"] = channel.empty() ? "release" : channel.substr(1);
      product["os"] = "ubuntu";
      product["release"] = "noble";
      product["subarch"] = image.subarch;
      product["priority"] = 7;
      product["notes"] = {"typed", 1, true};
      const auto base = base::cat("noble/amd64/", image.version);
      product["versions"][image.version]["items"] = {
          {"boot-kernel", item(stream, base::cat(base, "/", image.subarch, "/boot-kernel"),
                               "boot-kernel", image.kernel)},
          {"squashfs", item(stream, base + "/squashfs", "squashfs", image.squashfs)}};
    }
    write_stream(stream, tree);
  }

  /// Writes a products file, and the index over it.
  void write_stream(const std::string& stream, const io::Json& tree) const {
    const auto content_id = tree.at("content_id").get<std::string>();
    const auto index_file = stream + "/streams/v1/index.json";
    auto index = base::exists_at(AT_FDCWD, world.path(index_file))
                     ? world.read_json(index_file)
                     : io::Json{{"format", "index:1.0"}, {"index", io::Json::object()}};
    auto products = io::Json::array();
    for (const auto& [product, node] : tree.at("products").items()) {
      products.push_back(product);
    }
    index["index"][content_id] = {{"datatype", "image-downloads"},
                                  {"format", "products:1.0"},
                                  {"path", base::cat("streams/v1/", content_id, ".json")},
                                  {"products", products},
                                  {"updated", tree.at("updated")}};
    index["updated"] = tree.at("updated");
    world.write(base::cat(stream, "/streams/v1/", content_id, ".json"), io::to_text(tree));
    world.write(index_file, io::to_text(index));
  }

  io::Json tree(const std::string& stream, const std::string& content_id) const {
    return world.read_json(base::cat(stream, "/streams/v1/", content_id, ".json"));
  }

  /// support::witness() of the files below scratch/`stream`: a run that is refused may have made
  /// directories.
  auto witness(const std::string& stream) const {
    auto files = support::witness(world.path(stream));
    std::erase_if(files, [](const auto& each) { return each.second.first == 0; });
    return files;
  }

  static std::string sha256(const std::string& content) {
    return io::digest_hex(io::Algorithm::sha256, content);
  }

  /// What a dry run and the run itself must say alike.
  template <typename Result>
  static void expect_same_report(const Result& planned, const Result& done) {
    const auto parts = [](const Result& result) {
      auto report = sstream::report_of(result.published, {});
      return io::Json{{"files", report.at("files")},
                      {"bytes", report.at("bytes")},
                      {"streams", report.at("streams")},
                      {"changed", report.at("changed")},
                      {"files_reused", report.at("files_reused")}};
    };
    EXPECT_EQ(parts(planned), parts(done));
    EXPECT_EQ(planned.items, done.items);
  }

  support::World world;
};

}  // namespace verbs
