#include "tests/io/meph2/build/world.h"

#include <cstdlib>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "sstream/format/checksums.h"

namespace world {

using io::Json;

const std::string* FakeHttp::find(const io::Request& request) {
  ++asked;
  auto urls = request.mirrors;
  urls.insert(urls.begin(), request.url);
  for (const auto& url : urls) {
    if (const auto found = files.find(url); found != files.end()) {
      return &found->second;
    }
  }
  return nullptr;
}

io::ResponseHead FakeHttp::probe(const std::string& url, const std::stop_token&) {
  io::Request request;
  request.url = url;
  const auto* body = find(request);
  io::ResponseHead answer;
  answer.status = body == nullptr ? 404 : 200;
  if (body != nullptr) {
    answer.length = body->size();
  }
  return answer;
}

std::optional<io::Document> FakeHttp::get(const io::Request& request, const std::stop_token&) {
  const auto* found = find(request);
  if (found == nullptr) {
    return std::nullopt;
  }
  io::Document document;
  if (request.save_to != nullptr) {
    request.save_to->write(*found);
  } else {
    document.body = *found;
  }
  document.url = request.url;
  return document;
}

void FakeHttp::fetch(std::vector<io::FileRequest>& requests, base::Progress&,
                     const std::function<void(std::size_t, std::exception_ptr)>& done,
                     const std::stop_token&) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto& request = requests[i];
    try {
      const auto* found = find(request);
      if (found == nullptr) {
        throw base::Error(base::Errc::not_found, base::cat(request.url, ": 404"));
      }
      const auto there = request.into->size();
      const auto& body = *found;
      const bool cut_now = cut.erase(request.url) > 0;
      const auto end = cut_now ? body.size() / 2 : body.size();
      const auto start = std::min<std::size_t>(there, end);
      request.into->seek(start);
      request.into->write(body.substr(start, end - start));
      delivered[request.url] += end - start;
      if (cut_now) {
        throw base::Error(base::Errc::failed, base::cat(request.url, ": connection lost"));
      }
      request.into->seek(0);
      if (io::digest_file(request.algorithm, *request.into) != request.digest) {
        request.into->truncate(0);
        throw base::Error(base::Errc::untrusted, base::cat(request.url, ": wrong digest"));
      }
      done(i, nullptr);
    } catch (const base::Error&) {
      done(i, std::current_exception());
    }
  }
}

World::World()
    : clock(*base::parse_stamp("Thu, 01 Jan 2026 12:00:00 +0000")),
      log_("test", base::LogLevel::debug,
           [this](base::LogLevel level, const std::string& line) {
             lines_.push_back((level == base::LogLevel::warning ? "warning: " : "") + line);
           }),
      context_{clock, log_, progress_, http, stop.get_token()} {
  setenv("MAAS_CLOUDIMG2EPH2", base::cat(SOURCE_DIR, "/bin/fake-maas-cloudimg2eph2").c_str(), 1);
  setenv("DISTRO_INFO_DIR", base::cat(FIXTURES, "/distro-info").c_str(), 1);
  unsetenv("FAKE_M2E_FAIL");
}

World::~World() {
  unsetenv("MAAS_CLOUDIMG2EPH2");
  unsetenv("DISTRO_INFO_DIR");
  unsetenv("FAKE_M2E_FAIL");
}

void World::write(const std::string& below, const std::string& text) const {
  const auto file = path(below);
  base::make_directories(file.substr(0, file.rfind('/')));
  auto opened = base::open_file(file, O_WRONLY | O_CREAT | O_TRUNC);
  opened.write(text);
  opened.close();
}

std::string World::read(const std::string& below) const {
  return base::read_file(path(below));
}

bool World::exists(const std::string& below) const {
  return base::exists_at(AT_FDCWD, path(below));
}

Json World::json(const std::string& below) const {
  return Json::parse(read(below));
}

std::map<std::string, std::string> World::tree(const std::string& below) const {
  std::map<std::string, std::string> files;
  const auto root = base::open_directory(path(below));
  base::walk_tree(root.fd(), [&](const std::string& name, const struct stat& status) {
    if (name == ".data") {
      return false;
    }
    if (S_ISREG(status.st_mode)) {
      files[name] = base::cat(status.st_mtim.tv_sec, ".", status.st_mtim.tv_nsec, " ",
                              read(below + "/" + name));
    }
    return true;
  });
  return files;
}

void World::use_builder(const std::string& script) const {
  write("builder", "#!/bin/sh\n" + script);
  base::open_file(path("builder"), O_RDONLY).chmod(0755);
  setenv("MAAS_CLOUDIMG2EPH2", path("builder").c_str(), 1);
}

std::string World::logged() const {
  return base::join(lines_, "\n");
}

namespace {

void add_item(Json& items, const World& world, const std::string& directory,
              const std::string& ftype, const std::string& path) {
  const auto text = base::cat(ftype, " of ", path);
  world.write(directory + "/" + path, text);
  items[ftype] = {{"ftype", ftype},
                  {"path", path},
                  {"size", text.size()},
                  {"sha256", io::digest_hex(io::Algorithm::sha256, text)},
                  {"md5", io::digest_hex(io::Algorithm::md5, text)}};
}

}  // namespace

std::string make_source(const World& world, const std::string& directory,
                        const std::vector<Offer>& offers, const std::string& content_id) {
  const auto stream = base::split(content_id, ':').at(1);
  Json products = Json::object();
  for (const auto& offer : offers) {
    const auto name =
        base::cat("com.ubuntu.cloud.", stream, ":server:", offer.version, ":", offer.arch);
    auto& product = products[name];
    product["arch"] = offer.arch;
    product["os"] = "ubuntu";
    product["release"] = offer.release;
    product["version"] = offer.version;
    auto& items = product["versions"][offer.serial]["items"];
    const auto base =
        base::cat("server/", offer.release, "/", offer.serial, "/", offer.release, "-", offer.arch);
    add_item(items, world, directory, "squashfs", base + ".squashfs");
    add_item(items, world, directory, "tar.gz", base + ".tar.gz");
    add_item(items, world, directory, "manifest", base + ".manifest");
  }
  const Json tree{{"content_id", content_id},
                  {"datatype", "image-downloads"},
                  {"format", "products:1.0"},
                  {"updated", "Mon, 01 Jan 2024 00:00:00 +0000"},
                  {"products", products}};
  const auto file = base::cat(directory, "/streams/v1/", content_id, ".json");
  world.write(file, io::to_text(tree));
  return world.path(file);
}

void serve(World& world, const std::string& directory, const std::string& url) {
  const auto root = base::open_directory(world.path(directory));
  base::walk_tree(root.fd(), [&](const std::string& name, const struct stat& status) {
    if (S_ISREG(status.st_mode)) {
      world.http.files[url + base::percent_encode_path(name)] = world.read(directory + "/" + name);
    }
    return true;
  });
}

meph2::CloudimgSyncOptions sync_options(const World& world, const std::string& source) {
  meph2::CloudimgSyncOptions options;
  options.config = base::cat(FIXTURES, "/conf/small-v3.yaml");
  options.source = source;
  options.target = meph2::force_target;
  options.output = world.path("out");
  options.arches = {"amd64", "arm64"};
  options.publish.action = "cloudimg-sync";
  options.publish.sign = false;
  options.publish.rails.enforced = true;
  return options;
}

meph2::BuildImageOptions build_options(const World& world) {
  meph2::BuildImageOptions options;
  options.config = base::cat(FIXTURES, "/conf/small-v3.yaml");
  options.request.arch = "amd64";
  options.request.release = "noble";
  options.request.version_name = "20240501";
  world.write("noble.squashfs", "an image");
  options.source = world.path("noble.squashfs");
  options.target = world.path("out");
  options.publish.action = "build";
  options.publish.sign = false;
  return options;
}

std::vector<std::string> versions_of(const Json& stream) {
  std::vector<std::string> names;
  for (const auto& [name, product] : stream.at("products").items()) {
    for (const auto& version : product.at("versions").items()) {
      names.push_back(base::cat(base::replace_all(name, "com.ubuntu.maas.candidate:v3:boot:", ""),
                                "/", version.key()));
    }
  }
  return names;
}

}  // namespace world
