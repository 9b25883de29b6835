#include "meph2/import/artefact.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/file.h"
#include "base/strings.h"
#include "io/tar/archive.h"
#include "meph2/image/root/detect.h"
#include "meph2/image/steps/dpkg.h"

namespace meph2::import {

namespace {

using base::Errc;
using base::Error;

constexpr const char* manifest = "manifest";
constexpr std::uint64_t largest_status = 64ULL << 20U;

void require_part(const std::string& option, const std::string& text) {
  if (base::unsafe_path_reason(text) != nullptr || text.find('/') != std::string::npos) {
    throw Error(Errc::usage,
                base::cat(option, " '", text, "': must be fit for the name of a directory"));
  }
}

/// What the packages of the root file system are; a line of its own where that is not known.
std::string made_manifest(const ArtefactOptions& options, const std::string& tar,
                          const std::stop_token& stop) {
  if (!tar.empty()) {
    auto file = base::open_file(tar, O_RDONLY);
    const auto status = io::read_from_tar(file, {"var/lib/dpkg/status"}, largest_status, stop);
    if (status) {
      return image::manifest_text(image::parse_dpkg_status(*status, tar + " var/lib/dpkg/status"));
    }
  }
  return base::cat(options.os, "\t", options.version, "\n");
}

void require_root_tar(const std::string& path) {
  auto file = base::open_file(path, O_RDONLY);
  const auto content = image::detect(file, path);
  if (content != image::Content::root_tar) {
    throw Error(Errc::untrusted, base::cat("read ", path, ": is ", image::content_name(content),
                                           ", not the tar of a root file system"));
  }
}

/// An artefact as it will be published.
struct Artefact {
  std::string origin;
  sstream::Checksums sums;
};

/// By item, the manifest among them.
using Artefacts = std::map<std::string, Artefact>;

Artefacts prepare(const ArtefactOptions& options, Workshop& workshop) {
  Artefacts out;
  for (const auto& [item, path] : options.files) {
    if (item == "root-tgz") {
      require_root_tar(path);
    }
    out[item] = {path, sums_of(path, workshop.context().stop)};
  }
  if (!out.contains(manifest)) {
    const auto tar = out.find("root-tgz");
    const auto text = made_manifest(options, tar == out.end() ? std::string() : tar->second.origin,
                                    workshop.context().stop);
    const auto path = workshop.new_path(manifest);
    out[manifest] = {path, write_file(path, text)};
  }
  return out;
}

bool is_published(const ArtefactOptions& options, const Artefacts& artefacts, Workshop& workshop) {
  const auto newest = workshop.newest_version(options.content_id, options.product_id);
  return !newest.empty() && std::ranges::all_of(artefacts, [&](const auto& entry) {
    const auto* item =
        workshop.live(options.content_id)->item({options.product_id, newest, entry.first});
    return item != nullptr && item->value("sha256", std::string()) == entry.second.sums.sha256;
  });
}

ArtefactOptions completed(ArtefactOptions options) {
  for (const auto& [option, text] :
       {std::pair("--os", &options.os), std::pair("--release", &options.release),
        std::pair("--arch", &options.arch)}) {
    if (text->empty()) {
      throw Error(Errc::usage, base::cat("--add wants ", option, " as well"));
    }
    require_part(option, *text);
  }
  if (options.version.empty()) {
    options.version = options.release;
  }
  if (options.release_title.empty()) {
    options.release_title = base::cat(options.os, " ", options.release);
  }
  if (options.content_id.empty()) {
    options.content_id = base::cat("com.ubuntu.maas:candidate:", options.os, "-bases-download");
  }
  if (options.product_id.empty()) {
    options.product_id = base::cat("com.ubuntu.maas.candidate:", options.os,
                                   "-bases:", options.version, ":", options.arch);
  }
  if (!options.serial.empty()) {
    require_part("--serial", options.serial);
  }
  return options;
}

}  // namespace

std::pair<std::string, std::string> parse_artefact(const std::string& text) {
  const auto equals = text.find('=');
  const auto item = text.substr(0, equals);
  if (equals == std::string::npos || item.empty() || equals + 1 == text.size() ||
      base::unsafe_path_reason(item) != nullptr || item.find('/') != std::string::npos) {
    throw Error(Errc::usage, base::cat("--add '", text, "': ITEM=FILE expected, root-tgz=FILE"));
  }
  return {item, text.substr(equals + 1)};
}

std::vector<NewVersion> import_artefact(const ArtefactOptions& given, Workshop& workshop) {
  const auto options = completed(given);
  const auto artefacts = prepare(options, workshop);
  if (!workshop.force() && is_published(options, artefacts, workshop)) {
    workshop.context().log.info(base::cat(options.product_id, ": published already"));
    return {};
  }
  NewVersion version;
  version.content_id = options.content_id;
  version.product = options.product_id;
  version.product_tags = product_tags(options);
  version.product_tags["label"] = options.label;
  version.product_tags.update(options.tags);
  const auto parent = base::cat(options.os, "/", options.release, "/", options.arch);
  version.version =
      options.serial.empty()
          ? workshop.next_version(options.content_id, options.product_id, parent, "_01")
          : options.serial;
  for (const auto& [item, artefact] : artefacts) {
    version.add(item, base::cat(parent, "/", version.version, "/", item), {{"ftype", item}},
                artefact.sums, artefact.origin);
  }
  return {version};
}

}  // namespace meph2::import
