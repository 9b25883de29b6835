// The rows C1-C26 of docs/format.md 7.3, at the index, the products file and a data file: what is
// said, that the mirror stays as it was, that it takes no time, and that the next run with a good
// server does what this one could not.
#include "tests/io/sstream/mirror/mirror_fixture.h"

namespace {

using base::Errc;
using support::HttpAnswer;
using support::HttpConnection;
using support::HttpSeen;

using Handler = support::HttpServer::Handler;

struct Behaviour {
  const char* row;
  std::function<Handler(const std::string& content)> make;
  std::vector<Errc> says;
  bool data_only = false;
  bool small_only = false;  ///< not at the products file, which may be large
};

Handler always(HttpAnswer answer) {
  return [answer](const HttpSeen& seen, HttpConnection& connection) {
    send_answer(answer, seen, connection);
  };
}

/// Sends these bytes and closes the connection.
Handler raw(std::string bytes) {
  return [bytes = std::move(bytes)](const HttpSeen&, HttpConnection& connection) {
    connection.send(bytes);
    connection.close();
  };
}

Handler answers(int status, const std::map<std::string, std::string>& headers = {}) {
  return always({.status = status, .body = "sorry", .headers = headers});
}

void endless(const HttpSeen&, HttpConnection& connection) {
  connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  const std::string piece(1U << 18U, ' ');
  while (connection.send(piece)) {
  }
  connection.close();
}

std::vector<Behaviour> behaviours() {
  const std::vector<Errc> broken = {Errc::failed, Errc::untrusted};
  return {
      {"C1 cut",
       [](const auto& body) { return always({.body = body, .cut_at = body.size() / 2}); },
       {Errc::failed}},
      {"C3 no length, cut",
       [](const auto& body) {
         return always({.body = body.substr(0, body.size() / 2), .length = false});
       },
       broken},
      {"C4 bad chunk",
       [](const auto&) {
         return raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nxx");
       },
       broken},
      {"C5 two lengths",
       [](const auto& body) {
         return raw(base::cat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(),
                              "\r\nContent-Length: 1\r\n\r\n", body));
       },
       broken},
      {"C5 negative length",
       [](const auto& body) {
         return raw(base::cat("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", body));
       },
       broken},
      {"C6 endless", [](const auto&) { return Handler(endless); }, {Errc::untrusted}, false, true},
      {"C7 compressed unasked",
       [](const auto&) {
         return always({.body = std::string("\x1f\x8b\x08\0\0\0\0\0", 8),
                        .headers = {{"Content-Encoding", "gzip"}}});
       },
       broken},
      {"C8 403", [](const auto&) { return answers(403); }, {Errc::failed}},
      {"C8 404", [](const auto&) { return answers(404); }, {Errc::not_found}},
      {"C8 410", [](const auto&) { return answers(410); }, {Errc::not_found}},
      {"C8 500", [](const auto&) { return answers(500); }, {Errc::failed}},
      {"C8 502", [](const auto&) { return answers(502); }, {Errc::failed}},
      {"C8 503",
       [](const auto&) {
         return answers(503, {{"Retry-After", "0"}});
       },
       {Errc::failed}},
      {"C8 429", [](const auto&) { return answers(429); }, {Errc::failed}},
      {"C10 portal",
       [](const auto&) { return always({.body = "<html>Please log in \x1b[31m</html>"}); },
       {Errc::untrusted}},
      {"C11 204", [](const auto&) { return answers(204); }, broken},
      {"C11 206",
       [](const auto& body) {
         return always({.status = 206,
                        .body = body.substr(1),
                        .headers = {{"Content-Range",
                                     base::cat("bytes 1-", body.size() - 1, "/", body.size())}}});
       },
       broken},
      {"C11 304",
       [](const auto&) { return raw("HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"); },
       broken, true},
      {"C12 loop",
       [](const auto&) {
         return [](const HttpSeen& seen, HttpConnection& connection) {
           send_answer({.status = 302, .headers = {{"Location", seen.path}}}, seen, connection);
         };
       },
       broken},
      {"C12 file",
       [](const auto&) {
         return answers(302, {{"Location", "file:///etc/passwd"}});
       },
       broken},
      {"C13 stall",
       [](const auto& body) { return always({.body = body, .stall_at = body.size() / 2}); },
       {Errc::failed}},
      {"C14 reset",
       [](const auto&) {
         return [](const HttpSeen&, HttpConnection& connection) { connection.reset(); };
       },
       {Errc::failed}},
      {"C14 no HTTP", [](const auto&) { return raw("220 mail.example.com ESMTP\r\n"); }, broken},
      {"C14 huge head",
       [](const auto&) {
         return raw("HTTP/1.1 200 OK\r\nX-A: " + std::string(500'000, 'a') + "\r\n\r\n");
       },
       broken},
      {"C19 other content",
       [](const auto& body) {
         auto other = body;
         other[other.size() / 2] ^= 1;
         return always({.body = other});
       },
       {Errc::untrusted},
       true},
      {"C20 a file more",
       [](const auto& body) { return always({.body = body + "x"}); },
       {Errc::untrusted},
       true},
  };
}

class Misbehaviour : public MirrorTest {
 protected:
  /// What the server offers next: something to fetch everywhere.
  void publish_more(unsigned number) {
    make_stream("src", {{.version = base::cat("202602", 10 + number),
                         .kernel = base::cat("kernel ", std::string(3000, 'k'), number)}});
    redate(base::format_stamp(base::Time(std::chrono::seconds(1764600000 + number))));
  }

  std::string data_of(unsigned number) {
    return base::cat("/noble/amd64/202602", 10 + number, "/ga-24.04/boot-kernel");
  }
};

TEST_F(Misbehaviour, LeavesTheMirrorAsItWasAtEveryPlace) {
  mirror();
  unsigned number = 0;
  for (const auto& behaviour : behaviours()) {
    for (const char* place : {"index", "products", "data"}) {
      const std::string where = place;
      if ((behaviour.data_only && where != "data") ||
          (behaviour.small_only && where == "products")) {
        continue;
      }
      SCOPED_TRACE(base::cat(behaviour.row, " at ", where));
      publish_more(++number);
      const auto path = where == "index"      ? std::string(index)
                        : where == "products" ? std::string(products)
                                              : data_of(number);
      server.on(path, behaviour.make(base::read_file(world.path("src") + path)));
      const auto before = witness("m");
      const auto start = std::chrono::steady_clock::now();
      const auto failure = support::refused([&] { mirror(); });
      const auto took = std::chrono::steady_clock::now() - start;
      EXPECT_THAT(behaviour.says, testing::Contains(failure.code())) << failure.what();
      EXPECT_EQ(std::string(failure.what()).find('\x1b'), std::string::npos);
      EXPECT_LT(took, std::chrono::seconds(60));
      auto after = witness("m");
      std::erase_if(after, [](const auto& file) {  // what waits for the next run
        return file.first.starts_with(".data/.sstream/txn/");
      });
      EXPECT_EQ(after, before);
      server.on(path, [this, path](const HttpSeen& seen, HttpConnection& connection) {
        const auto body = base::read_file(world.path("src") + path);
        send_answer(support::good_answer(seen, body, base::cat('"', sha256(body), '"')), seen,
                    connection);
      });
      EXPECT_TRUE(mirror().published.changed);
      EXPECT_GT(judge("m"), number);
    }
  }
  EXPECT_GT(number, 60U);
}

/// docs/format.md 7.3, C9.
TEST_F(Misbehaviour, PassesOverWhatPasses) {
  for (const std::string& path :
       {std::string(index), std::string(products), std::string("/noble/amd64/20260101/squashfs")}) {
    const auto body = base::read_file(world.path("src") + path);
    server.on_each(path, {{.status = 500}, {.body = body, .cut_at = 1}, {.body = body}});
  }
  EXPECT_TRUE(mirror().published.changed);
  EXPECT_EQ(judge("m"), 4U);
}

/// C22: names the cause, and there is no way around it.
TEST_F(Misbehaviour, SaysWhatIsWrongWithTheNetwork) {
  auto chosen = options();
  chosen.source = "http://127.0.0.1:1/";
  EXPECT_THAT(support::refused([&] { mirror(chosen); }).what(),
              testing::AllOf(testing::HasSubstr("127.0.0.1:1"), testing::HasSubstr("onnect")));
  chosen.source = "http://no-such-host.invalid/";
  EXPECT_THAT(support::refused([&] { mirror(chosen); }).what(),
              testing::HasSubstr("no-such-host.invalid"));
}

// D1-D20 as a mirror meets them, in the products file and in the index. (The rows themselves:
// unit_sstream.BadMetadata.)
struct BadDocument {
  const char* row;
  std::function<void(io::Json& tree)> spoil;
};

TEST_F(Misbehaviour, HostileMetadataIsRefusedWithItsPlace) {
  mirror();
  const auto before = witness("m");
  const auto good = this->tree("src", verbs::daily);
  const auto path_to_items = [&](io::Json& tree) -> io::Json& {
    return tree["products"][product_of("ga-24.04")]["versions"]["20260102"]["items"];
  };
  const std::vector<BadDocument> rows = {
      {"D8 products", [](auto& tree) { tree["products"] = io::Json::array(); }},
      {"D8 items", [&](auto& tree) { path_to_items(tree) = "x"; }},
      {"D9", [](auto& tree) { tree["products"]["a/b"] = io::Json::object(); }},
      {"D10",
       [&](auto& tree) {
         tree["products"][product_of("ga-24.04")]["versions"]["../x"] = io::Json::object();
       }},
      {"D13 missing", [&](auto& tree) { path_to_items(tree)["squashfs"].erase("size"); }},
      {"D13 negative", [&](auto& tree) { path_to_items(tree)["squashfs"]["size"] = -1; }},
      {"D13 fraction", [&](auto& tree) { path_to_items(tree)["squashfs"]["size"] = 1.5; }},
      {"D13 true", [&](auto& tree) { path_to_items(tree)["squashfs"]["size"] = true; }},
      {"D14 missing", [&](auto& tree) { path_to_items(tree)["squashfs"].erase("sha256"); }},
      {"D14 length", [&](auto& tree) { path_to_items(tree)["squashfs"]["sha256"] = "abc"; }},
      {"D14 no hex",
       [&](auto& tree) { path_to_items(tree)["squashfs"]["sha256"] = std::string(64, 'x'); }},
      {"D15 md5 only",
       [&](auto& tree) {
         path_to_items(tree)["squashfs"].erase("sha256");
         path_to_items(tree)["squashfs"]["md5"] = std::string(32, 'a');
       }},
      {"D16",
       [&](auto& tree) {
         path_to_items(tree)["twin"] = path_to_items(tree)["squashfs"];
         path_to_items(tree)["twin"]["sha256"] = std::string(64, 'a');
       }},
      {"D17",
       [&](auto& tree) { path_to_items(tree)["squashfs"]["path"] = "streams/v1/index.json"; }},
      {"D17 private", [&](auto& tree) { path_to_items(tree)["squashfs"]["path"] = ".data/x"; }},
      {"D18", [&](auto& tree) { path_to_items(tree)["squashfs"]["path"] = 7; }},
      {"E1", [&](auto& tree) { path_to_items(tree)["squashfs"]["path"] = "a/../../x"; }},
      {"D19", [](auto& tree) { tree["format"] = "products:2.0"; }},
      {"D20", [](auto& tree) { tree["content_id"] = "com.example:other"; }},
  };
  unsigned number = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.row);
    auto tree = good;
    row.spoil(tree);
    tree["updated"] = base::format_stamp(base::Time(std::chrono::seconds(1764700000 + ++number)));
    auto text = io::to_text(tree);
    world.write(std::string("src") + products, text);
    const auto failure = support::refused([&] { mirror(); });
    EXPECT_EQ(failure.code(), Errc::untrusted) << failure.what();
    EXPECT_THAT(failure.what(), testing::HasSubstr("stream unchanged"));
    auto after = witness("m");
    EXPECT_EQ(after, before);
  }
  const std::vector<std::pair<const char*, std::string>> texts = {
      {"D1", ""},
      {"D1", "null"},
      {"D1", io::to_text(good).substr(0, 300)},
      {"D3", std::string(100'000, '[')},
      {"D4", R"({"format": "products:1.0", "format": "products:1.0"})"},
      {"D5", R"({"format": NaN})"},
      {"D6", "\xEF\xBB\xBF{}"},
      {"D6", "{\"format\": \"\\ud800\"}"},
      {"D7", io::to_text(good) + "{}"},
  };
  for (const char* document : {products, index}) {
    for (const auto& [row, text] : texts) {
      SCOPED_TRACE(base::cat(row, " as ", document));
      const auto kept = base::read_file(world.path("src") + document);
      world.write(std::string("src") + document, text);
      const auto failure = support::refused([&] { mirror(); });
      EXPECT_EQ(failure.code(), Errc::untrusted) << failure.what();
      EXPECT_EQ(witness("m"), before);
      world.write(std::string("src") + document, kept);
    }
  }
}

/// D15: the way out.
TEST_F(Misbehaviour, OldDigestsOnRequestOnly) {
  auto tree = this->tree("src", verbs::daily);
  for (auto& version : tree["products"][product_of("ga-24.04")]["versions"]) {
    for (auto& item : version["items"]) {
      const auto content = base::read_file(world.path("src/" + item["path"].get<std::string>()));
      item.erase("sha256");
      item["md5"] = io::digest_hex(io::Algorithm::md5, content);
    }
  }
  write_stream("src", tree);
  EXPECT_THAT(support::refused([&] { mirror(); }).what(), testing::HasSubstr("only an md5"));
  auto chosen = options();
  chosen.trust.allow_md5 = true;
  EXPECT_TRUE(mirror(chosen).published.changed);
}

}  // namespace
