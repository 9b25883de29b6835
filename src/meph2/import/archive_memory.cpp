#include "meph2/import/archive_memory.h"

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/strings.h"
#include "io/hash/digest.h"

namespace meph2::import {

namespace {

using apt::ArchivePackage;

constexpr std::size_t id_digits = 16;
constexpr std::uint64_t largest = 64ULL << 20U;
constexpr const char* directory = "/.data/.sstream/archives";

io::Json json_of(const ArchivePackage& package) {
  return {{"architecture", package.architecture},
          {"filename", package.filename},
          {"name", package.name},
          {"sha256", package.expected.sha256},
          {"size", package.expected.size},
          {"source", package.source},
          {"source_version", package.source_version},
          {"version", package.version}};
}

ArchivePackage package_of(const io::Json& json) {
  ArchivePackage package;
  package.architecture = json.at("architecture").get<std::string>();
  package.filename = json.at("filename").get<std::string>();
  package.name = json.at("name").get<std::string>();
  package.expected.sha256 = json.at("sha256").get<std::string>();
  package.expected.size = json.at("size").get<std::uint64_t>();
  package.source = json.at("source").get<std::string>();
  package.source_version = json.at("source_version").get<std::string>();
  package.version = json.at("version").get<std::string>();
  return package;
}

std::optional<apt::KeptRelease> kept_in(const io::Json& memory) {
  const auto found = memory.find("release");
  if (found == memory.end()) {
    return std::nullopt;
  }
  return apt::KeptRelease{found->at("text").get<std::string>(),
                          found->at("etag").get<std::string>(),
                          found->at("date").get<std::string>()};
}

}  // namespace

RememberedArchive::RememberedArchive(const std::string& repository, const std::string& url,
                                     const std::string& suite, const io::Keyring& keyring,
                                     const sstream::Context& context)
    : repository_(repository),
      file_(base::cat(
          repository, directory, "/",
          io::digest_hex(io::Algorithm::sha256, base::cat(base::redact_urls(url), " ", suite))
              .substr(0, id_digits),
          ".json")) {
  try {
    if (base::exists_at(AT_FDCWD, file_)) {
      text_ = base::read_file(file_, largest);
      memory_ = io::parse_json(text_, file_);
    }
    kept_in(memory_);
    before_ = memory_.value("indexes", io::Json::object());
    for (const auto& [digest, index] : before_.items()) {
      for (const auto& package : index.at("packages")) {
        package_of(package);
      }
    }
  } catch (const std::exception& error) {
    context.log.warning(base::cat("begins anew to remember archive ", base::redact_urls(url), " ",
                                  suite, ": ", error.what()));
    memory_ = io::Json::object();
    before_ = io::Json::object();
  }
  archive_ = std::make_unique<apt::AptArchive>(url, suite, keyring, context, kept_in(memory_));
  const auto seen = base::parse_stamp(memory_.value("date", std::string()));
  if (seen && archive_->release().date < *seen) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(archive_->name(), "/InRelease: is of ",
                                base::format_stamp(archive_->release().date),
                                ", older than what was seen of it, of ", base::format_stamp(*seen),
                                "; remove ", file_, " if that is meant"));
  }
}

std::vector<ArchivePackage> RememberedArchive::packages(const std::string& component,
                                                        const std::string& arch,
                                                        const std::set<std::string>& names) {
  const auto path = archive_->packages_path(component, arch);
  if (!path) {
    return {};
  }
  const auto& digest = archive_->release().file(*path)->sha256;
  const io::Json asked(names);
  const auto known_in = [&](const io::Json& indexes) {
    const auto found = indexes.find(digest);
    return found != indexes.end() && found->value("names", io::Json()) == asked;
  };
  if (!known_in(indexes_) && known_in(before_)) {
    indexes_[digest] = before_.at(digest);
  } else if (!known_in(indexes_)) {
    auto packages = io::Json::array();
    for (const auto& package : archive_->packages(component, arch, names)) {
      packages.push_back(json_of(package));
    }
    indexes_[digest] = {{"names", asked}, {"packages", std::move(packages)}};
  }
  std::vector<ArchivePackage> out;
  for (const auto& json : indexes_.at(digest).at("packages")) {
    out.push_back(package_of(json));
  }
  return out;
}

void RememberedArchive::save() const {
  if (!base::exists_at(AT_FDCWD, repository_ + "/.data/.sstream")) {
    return;
  }
  const auto& kept = archive_->kept();
  const io::Json now{{"archive", archive_->name()},
                     {"date", base::format_stamp(archive_->release().date)},
                     {"indexes", indexes_},
                     {"release", {{"date", kept.date}, {"etag", kept.etag}, {"text", kept.text}}}};
  const auto text = io::to_text(now);
  if (text != text_) {
    base::make_directories(repository_ + directory);
    base::replace_file(file_, text);
  }
}

}  // namespace meph2::import
