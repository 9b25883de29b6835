#pragma once

#include "sstream/mirror/mirror.h"
#include "tests/io/meph2/verbs/streams.h"
#include "tests/support/http_server.h"

/// A source behind a loopback server, and a client that is quick to give up.
class MirrorTest : public verbs::Verb {
 protected:
  static constexpr const char* products = "/streams/v1/com.ubuntu.maas:daily:v3:download.json";
  static constexpr const char* index = "/streams/v1/index.json";

  static io::HttpOptions quick() {
    io::HttpOptions options;
    options.tries = 3;
    options.first_wait = std::chrono::milliseconds(2);
    options.longest_wait = std::chrono::milliseconds(4);
    options.connect_time = std::chrono::milliseconds(2000);
    options.stall_time = std::chrono::seconds(1);
    return options;
  }

  void SetUp() override {
    make_stream("src", {{.version = "20260101"}, {.version = "20260102", .kernel = "k2"}});
    server.offer_directory("/", world.path("src"));
  }

  sstream::MirrorOptions options(const std::string& target = "m") {
    sstream::MirrorOptions chosen;
    chosen.source = server.url("/");
    chosen.target = world.path(target);
    chosen.publish = unsigned_options("mirror");
    chosen.publish.rails.enforced = true;
    return chosen;
  }

  sstream::MirrorResult mirror(const sstream::MirrorOptions& chosen) {
    return sstream::mirror(chosen, context);
  }

  sstream::MirrorResult mirror() { return mirror(options()); }

  /// The source's documents with this date; `more` is a tag of the products file.
  void redate(const std::string& date, const std::string& more = {}) {
    auto tree = this->tree("src", verbs::daily);
    tree["updated"] = date;
    if (!more.empty()) {
      tree["more"] = more;
    }
    write_stream("src", tree);
  }

  /// Each listed file is there, with its size and digest. Returns their number.
  std::size_t judge(const std::string& target) {
    std::set<std::string> files;
    const sstream::ProductTree tree(this->tree(target, verbs::daily), target);
    tree.for_each_item([&](const sstream::Item& item) {
      const auto path = world.path(target + "/" + *item.path());
      const auto content = base::exists_at(AT_FDCWD, path) ? base::read_file(path) : "absent";
      EXPECT_EQ(sha256(content), item.tag("sha256")) << path;
      files.insert(path);
    });
    return files.size();
  }

  support::HttpServer server;
  std::unique_ptr<io::HttpClient> client = io::make_http_client(quick());
  sstream::Context context{world.clock, world.log, world.progress, *client, {}};
};
