#include "meph2/apt/archive.h"

#include <exception>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "io/http/http.h"
#include "io/tar/archive.h"
#include "meph2/apt/deb822.h"

namespace meph2::apt {

namespace {

using base::Errc;
using base::Error;

constexpr std::uint64_t max_release_bytes = 16ULL << 20U;
/// Debian's largest, decompressed, has 50 MB.
constexpr std::uint64_t max_packages_bytes = 512ULL << 20U;

/// "shim (15.8-1)" -> name and version.
void take_source(ArchivePackage& package, std::string_view field) {
  const auto open = field.find('(');
  package.source = base::trim(field.substr(0, open));
  if (package.source.empty()) {
    package.source = package.name;
  }
  package.source_version = package.version;
  if (open != std::string_view::npos) {
    const auto close = field.find(')', open);
    package.source_version = base::trim(field.substr(open + 1, close - open - 1));
  }
}

ArchivePackage package_of(const Paragraph& paragraph, const std::string& name) {
  ArchivePackage package;
  package.name = paragraph.value("Package");
  package.version = paragraph.value("Version");
  package.architecture = paragraph.value("Architecture");
  package.filename = paragraph.value("Filename");
  package.expected.sha256 = base::to_lower(std::string(paragraph.value("SHA256")));
  const auto size = base::parse_decimal(paragraph.value("Size"));
  const auto where =
      base::cat(name, ":", paragraph.line(), ": package ", base::escape_control(package.name));
  if (package.version.empty() || package.filename.empty() || !size ||
      !base::is_sha256(package.expected.sha256)) {
    throw Error(Errc::untrusted, base::cat(where, ": Version, Filename, Size and SHA256 expected"));
  }
  package.expected.size = *size;
  base::with_context(where, [&] { base::require_safe_path(package.filename); });
  take_source(package, paragraph.value("Source"));
  return package;
}

}  // namespace

std::vector<ArchivePackage> parse_packages(std::string_view text, const std::string& name,
                                           const std::set<std::string>& names) {
  std::vector<ArchivePackage> out;
  for_each_paragraph(text, name, [&](const Paragraph& paragraph) {
    if (names.empty() || names.contains(std::string(paragraph.value("Package")))) {
      out.push_back(package_of(paragraph, name));
    }
  });
  return out;
}

AptArchive::AptArchive(const std::string& url, std::string suite, const io::Keyring& keyring,
                       const sstream::Context& context, const std::optional<KeptRelease>& kept)
    : url_(url.ends_with('/') ? url : url + "/"),
      suite_(std::move(suite)),
      name_(base::cat(base::redact_urls(url_), "dists/", suite_)),
      context_(context) {
  base::require_safe_path(suite_);
  const auto name = name_ + "/InRelease";
  io::Request request;
  request.url = base::cat(url_, base::percent_encode_path("dists/" + suite_ + "/InRelease"));
  request.max_bytes = max_release_bytes;
  if (kept) {
    request.known_etag = kept->etag;
    request.known_date = kept->date;
  }
  auto document = context_.http.get(request, context_.stop);
  if (!document) {
    throw Error(Errc::not_found, base::cat("fetch ", name, ": there is none"));
  }
  unchanged_ = document->not_modified && kept;
  kept_ = unchanged_
              ? *kept
              : KeptRelease{std::move(document->body), document->etag, document->strong_date};
  const auto verified =
      io::Verifier(keyring, context_.clock, io::Signers::any).verify_clearsigned(kept_.text, name);
  release_ = parse_release_file(verified.text, name);
  require_current(release_, suite_, context_.clock.now(), name);
}

/// `paths`: of the same content, the best one first.
base::File AptArchive::download(const std::vector<std::string>& paths,
                                const sstream::Checksums& expected) const {
  std::vector<io::FileRequest> requests(1);
  auto& request = requests.front();
  auto file = base::unnamed_file(base::cat(base::redact_urls(url_), paths.back()));
  for (const auto& path : paths) {
    request.mirrors.push_back(base::cat(url_, base::percent_encode_path(path)));
  }
  request.url = request.mirrors.front();
  request.mirrors.erase(request.mirrors.begin());
  request.size = expected.size;
  request.digest = expected.sha256;
  request.into = &file;
  std::exception_ptr failure;
  context_.http.fetch(
      requests, context_.progress,
      [&failure](std::size_t, std::exception_ptr error) { failure = std::move(error); },
      context_.stop);
  if (failure) {
    std::rethrow_exception(failure);
  }
  file.seek(0);
  return file;
}

base::File AptArchive::fetch(const std::string& path) const {
  const auto* expected = release_.file(path);
  if (expected == nullptr) {
    throw Error(Errc::not_found, base::cat(name_, "/InRelease: does not list ", path));
  }
  std::vector<std::string> paths{base::cat("dists/", suite_, "/", path)};
  if (release_.by_hash) {
    // A mirror or a cache may be between two states: then the plain name is of the other one.
    const auto& plain = paths.front();
    paths.insert(paths.begin(), base::cat(plain.substr(0, plain.rfind('/') + 1), "by-hash/SHA256/",
                                          expected->sha256));
  }
  return download(paths, *expected);
}

std::optional<std::string> AptArchive::packages_path(const std::string& component,
                                                     const std::string& arch) const {
  for (const char* ending : {".xz", ".gz", ""}) {
    const auto path = base::cat(component, "/binary-", arch, "/Packages", ending);
    if (release_.file(path) != nullptr) {
      return path;
    }
  }
  return std::nullopt;
}

std::vector<ArchivePackage> AptArchive::packages(const std::string& component,
                                                 const std::string& arch,
                                                 const std::set<std::string>& names) const {
  const auto path = packages_path(component, arch);
  if (!path) {
    throw Error(Errc::not_found,
                base::cat(name_, "/InRelease: lists no Packages of ", component, " for ", arch));
  }
  auto file = fetch(*path);
  auto text = base::unnamed_file(base::cat(name_, "/", *path));
  io::decompress(file, text, max_packages_bytes, context_.stop);
  text.seek(0);
  return parse_packages(base::read_all(text, max_packages_bytes), text.name(), names);
}

base::File AptArchive::fetch_package(const ArchivePackage& package) const {
  return download({package.filename}, package.expected);
}

}  // namespace meph2::apt
