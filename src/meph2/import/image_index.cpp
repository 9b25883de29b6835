#include "meph2/import/image_index.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/file.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "io/http/http.h"
#include "meph2/import/ini.h"
#include "meph2/import/root_tar.h"

namespace meph2::import {

namespace {

using base::Errc;
using base::Error;

constexpr std::uint64_t largest_index = 16ULL << 20U;

std::string value_of(const IniSection& section, const std::string& key) {
  const auto found = section.values.find(key);
  return found == section.values.end() ? std::string() : found->second;
}

std::string machine_of(const std::string& arch) {
  static const std::map<std::string, std::string> names{
      {"amd64", "x86_64"}, {"arm64", "aarch64"}, {"ppc64el", "ppc64le"}, {"i386", "i686"}};
  const auto found = names.find(arch);
  return found == names.end() ? arch : found->second;
}

bool is_revision(const std::string& text) {
  constexpr std::size_t digits = 4;
  return text.size() == digits && base::parse_decimal(text).has_value();
}

/// revision[_NN] or revision: "20YYMM01_RR".
std::string version_name(const OfferedImage& offered, const IndexedImage& image) {
  return base::cat("20", offered.revision, "01_", image.build);
}

class IndexImport {
 public:
  IndexImport(const ImportConfig& config, const IndexedImage& image, Workshop& workshop)
      : config_(config), image_(image), workshop_(workshop) {
    const std::vector<std::pair<std::string, std::string>> values{
        {"os", image.os}, {"version", image.version}, {"arch", image.arch}};
    product_ = filled_in(config.product_id, values, image.where);
    url_ = filled_in(config.image_index->url, {{"version", image.path_version}}, image.where);
  }

  std::vector<NewVersion> run(std::size_t max) {
    auto offered =
        read_image_index(fetch_index(), base::redact_urls(url_), image_.arch, image_.revision);
    if (offered.empty()) {
      throw Error(
          Errc::not_found,
          base::cat(image_.where, ": ", base::redact_urls(url_), ": offers no qcow2 image for ",
                    image_.arch, image_.revision.empty() ? "" : " of revision ", image_.revision));
    }
    if (max != 0 && offered.size() > max) {
      offered.resize(max);
    }
    std::vector<NewVersion> versions;
    for (const auto& each : offered) {
      base::check_stop(workshop_.context().stop);
      if (!is_published(version_name(each, image_))) {
        versions.push_back(make(each));
      }
    }
    return versions;
  }

 private:
  std::string fetch_index() {
    const auto& context = workshop_.context();
    if (!url_.starts_with("https:")) {
      context.log.warning(base::cat(base::redact_urls(url_),
                                    ": neither signed nor over https: what its digests say is as "
                                    "good as the network in between"));
    }
    io::Request request;
    request.url = url_;
    request.max_bytes = largest_index;
    const auto document = context.http.get(request, context.stop);
    if (!document) {
      throw Error(Errc::not_found,
                  base::cat(image_.where, ": fetch ", base::redact_urls(url_), ": there is none"));
    }
    return document->body;
  }

  bool is_published(const std::string& version) {
    const auto* live = workshop_.live(config_.content_id);
    const bool there = live != nullptr && live->version(product_, version) != nullptr;
    if (there) {
      workshop_.context().log.info(
          base::cat(product_, "/", version, ": published already",
                    workshop_.force() ? "; its name would not change: --force does nothing" : ""));
    }
    return there;
  }

  NewVersion make(const OfferedImage& offered) {
    NewVersion version;
    version.content_id = config_.content_id;
    version.product = product_;
    version.product_tags = product_tags(image_);
    version.version = version_name(offered, image_);
    const auto path = base::cat(image_.release, "/", image_.arch, "/", version.version, "/");
    if (workshop_.dry_run()) {
      version.only_planned = true;
      version.items["root-tgz"] = {{"path", path + "root-tgz"}};
      version.items["manifest"] = {{"path", path + "manifest"}};
      return version;
    }
    const auto converted = convert(offered);
    const auto& root = converted.first;
    auto text = base::cat(image_.os, "\t", image_.version, "\n", offered.file, "\t",
                          offered.revision, "\n");
    for (const auto& package : converted.second) {
      text += package + "\n";
    }
    const auto manifest = workshop_.new_path("manifest");
    version.add("root-tgz", path + "root-tgz", {{"ftype", "root-tgz"}},
                sums_of(root, workshop_.context().stop), root);
    version.add("manifest", path + "manifest", {{"ftype", "manifest"}}, write_file(manifest, text),
                manifest);
    return version;
  }

  /// The image, downloaded: the index has no size, so the server is asked for it.
  std::string fetch(const OfferedImage& offered) {
    const auto& context = workshop_.context();
    std::vector<io::FileRequest> requests(1);
    auto& request = requests.front();
    request.url =
        base::cat(url_.substr(0, url_.rfind('/') + 1), base::percent_encode_path(offered.file));
    const auto answer = context.http.probe(request.url, context.stop);
    if (!answer.length) {
      throw Error(Errc::failed, base::cat("fetch ", base::redact_urls(request.url),
                                          ": the server does not say how large it is (status ",
                                          answer.status, ")"));
    }
    auto path = workshop_.new_path("image");
    auto file = base::open_file(path, O_RDWR | O_CREAT | O_EXCL);
    request.size = *answer.length;
    request.digest = offered.sha256;
    request.into = &file;
    std::exception_ptr failure;
    context.log.info(base::cat("fetching ", base::redact_urls(request.url)));
    context.http.fetch(
        requests, context.progress,
        [&failure](std::size_t, std::exception_ptr error) { failure = std::move(error); },
        context.stop);
    if (failure) {
      std::rethrow_exception(failure);
    }
    file.close();
    return path;
  }

  RootChanges changes() const {
    RootChanges out;
    out.packages = image_.packages;
    out.base_mirror = config_.image_index->base_mirror;
    out.epel_mirror = config_.image_index->epel_mirror;
    if (!image_.curtin_files.empty()) {
      const auto beside = std::filesystem::absolute(config_.file).parent_path() / "../curtin";
      out.curtin_files = filled_in(image_.curtin_files,
                                   {{"curtin_path", beside.lexically_normal()}}, image_.where);
      if (!base::exists_at(AT_FDCWD, out.curtin_files)) {
        throw Error(Errc::not_found, base::cat(image_.where, ": curtin_files: ", out.curtin_files,
                                               ": there is no such directory"));
      }
    }
    return out;
  }

  /// The path of the tar, and the packages of a root that some were put into.
  std::pair<std::string, std::vector<std::string>> convert(const OfferedImage& offered) {
    const auto wanted = changes();  // before an hour is spent

    const auto path = fetch(offered);
    auto output = workshop_.new_path("root-tgz");
    const auto room = workshop_.new_path("room");
    base::make_directory_at(AT_FDCWD, room);
    workshop_.context().log.info(base::cat("converting ", offered.file));
    auto packages = pack_root(path, output, room, image_.arch, wanted, workshop_.context());
    return {std::move(output), std::move(packages)};
  }

  const ImportConfig& config_;
  const IndexedImage& image_;
  Workshop& workshop_;
  std::string product_;
  std::string url_;
};

}  // namespace

std::vector<OfferedImage> read_image_index(std::string_view text, const std::string& name,
                                           const std::string& arch, const std::string& revision) {
  std::map<std::string, OfferedImage> newest;
  for (const auto& section : parse_ini(text, name)) {
    OfferedImage offered;
    offered.file = value_of(section, "file");
    offered.revision = value_of(section, "revision");
    const auto format = value_of(section, "format");
    if ((!format.empty() && format != "qcow2") || value_of(section, "arch") != machine_of(arch) ||
        !is_revision(offered.revision) || (!revision.empty() && offered.revision != revision)) {
      continue;
    }
    offered.sha256 = base::to_lower(value_of(section, "checksum"));
    if (offered.sha256.empty()) {
      offered.sha256 = base::to_lower(value_of(section, "checksum[sha256]"));
    }
    if (!base::is_sha256(offered.sha256)) {
      throw Error(Errc::untrusted, base::cat(name, ": [", base::escape_control(section.name),
                                             "]: no sha256 checksum"));
    }
    base::with_context(name, [&] { base::require_safe_path(offered.file); });
    auto& slot = newest[offered.revision];
    if (slot.file.empty() || (offered.file.ends_with(".xz") && !slot.file.ends_with(".xz"))) {
      slot = offered;
    }
  }
  std::vector<OfferedImage> out;
  for (const auto& entry : newest) {
    out.push_back(entry.second);
  }
  std::ranges::reverse(out);
  return out;
}

std::vector<NewVersion> import_image_index(const ImportConfig& config, std::size_t max,
                                           Workshop& workshop) {
  std::vector<NewVersion> versions;
  for (const auto& image : config.image_index->images) {
    auto made = IndexImport(config, image, workshop).run(max);
    std::ranges::move(made, std::back_inserter(versions));
  }
  return versions;
}

}  // namespace meph2::import
