#include "meph2/installer/archive.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "io/openpgp/openpgp.h"
#include "meph2/apt/release_file.h"
#include "meph2/apt/version.h"
#include "meph2/installer/listing.h"

namespace meph2::installer {

namespace {

constexpr std::uint64_t largest_list = 16ULL << 20U;
constexpr std::uint64_t largest_signature = 64ULL << 10U;
constexpr std::uint64_t largest_file = 1ULL << 30U;
constexpr unsigned probes_at_once = 8;

/// Where the images of a version are; Ubuntu's last installers are legacy.
constexpr std::array<const char*, 2> image_directories{"images", "legacy-images"};

/// A list of digests: its name, and of which kind they are.
struct ListKind {
  const char* name;
  io::Algorithm algorithm;
};

constexpr std::array<ListKind, 2> list_kinds{
    {{"SHA256SUMS", io::Algorithm::sha256}, {"MD5SUMS", io::Algorithm::md5}}};

constexpr const char* current_name = "current";

/// installer-ARCH of one suite.
struct Place {
  std::string suite;
  std::string below_suite;  ///< "main/installer-amd64/"
  apt::ReleaseFile release;

  std::string path(const std::string& below) const {
    return base::cat("dists/", suite, "/", below_suite, below);
  }
};

/// A list of digests as it was read and verified.
struct SumsList {
  std::string directory;  ///< below installer-ARCH: "20230607/images/"
  io::Algorithm algorithm = io::Algorithm::sha256;
  std::string text;
};

/// What makes two files of one version the same thing.
auto identity(const VersionFile& file) {
  const bool dtb = file.what.kind == FileKind::dtb;
  return std::tuple(file.what.kind, file.what.kernel_release, file.what.flavor,
                    dtb ? file.name() : file.what.image_format);
}

io::Keyring load_keyring(const std::string& path) {
  if (path.empty()) {
    throw base::Error(base::Errc::usage, "no keyring to verify the archive by; name one");
  }
  try {
    return io::Keyring::load(path);
  } catch (base::Error& error) {
    error.set_state("another keyring can be named, or verification switched off");
    throw;
  }
}

}  // namespace

/// What all reading of an archive shares, and how it is done.
class InstallerArchive::Reading {
 public:
  Reading(const ArchiveOptions& options, const sstream::Context& context)
      : options_(options), context_(context) {
    if (!options.no_verify) {
      verifier_ = std::make_unique<io::Verifier>(load_keyring(options.keyring), context.clock,
                                                 io::Signers::any);
    }
  }

  std::vector<InstallerVersion> suite(const ImageTree& tree, const std::string& arch,
                                      const std::string& pocket) const {
    const auto suite = tree.release + pocket;
    const Place place{suite, base::cat("main/installer-", arch, "/"), read_release(suite)};
    const auto names = version_names(place);
    if (names.empty()) {
      context_.log.debug(
          base::cat("no installer for ", arch, " in ", urls(place.path("")).front()));
    }
    // What is alone is what `current` leads to.
    const auto current = names.size() > 1 ? read_list(place, current_name) : std::nullopt;
    std::vector<InstallerVersion> versions;
    for (const auto& name : names) {
      if (const auto list = read_list(place, name)) {
        const bool is_current = names.size() == 1 || (current && current->text == list->text);
        versions.push_back({name, pocket, is_current, files(place, *list, tree)});
      } else {
        context_.log.warning(
            base::cat(urls(place.path(name)).front(), ": no list of digests; left out"));
      }
    }
    return versions;
  }

  std::vector<std::string> urls(const std::string& path) const {
    std::vector<std::string> all;
    all.reserve(options_.mirrors.size());
    for (const auto& mirror : options_.mirrors) {
      all.push_back(url(mirror, path));
    }
    return all;
  }

  io::Request request(const std::string& path, std::uint64_t limit) const {
    auto all = urls(path);
    io::Request request;
    request.url = all.front();
    request.mirrors.assign(all.begin() + 1, all.end());
    request.max_bytes = limit;
    return request;
  }

  std::uint64_t size_of(const std::string& path) const {
    constexpr long ok = 200;
    std::string reason;
    for (const auto& start : urls(path)) {
      const auto answer = probe(start);
      if (answer.status == ok && answer.encoding.empty() && answer.length) {
        if (*answer.length == 0 || *answer.length > largest_file) {
          throw base::Error(
              base::Errc::untrusted,
              base::cat(start, ": ", *answer.length, " bytes; expected from 1 to ", largest_file));
        }
        return *answer.length;
      }
      reason = answer.status == ok ? "does not say how large it is"
                                   : base::cat("HTTP status ", answer.status);
    }
    throw base::Error(base::Errc::failed, base::cat("size of ", urls(path).front(), ": ", reason));
  }

 private:
  static std::string url(const std::string& mirror, const std::string& path) {
    return base::cat(mirror, mirror.ends_with('/') ? "" : "/", base::percent_encode_path(path));
  }

  std::optional<std::string> get(const std::string& path, std::uint64_t limit) const {
    auto document = context_.http.get(request(path, limit), context_.stop);
    return document ? std::optional(std::move(document->body)) : std::nullopt;
  }

  /// What the InRelease of a suite ("bookworm-updates") vouches for: Debian's for the lists of
  /// digests of installers, Ubuntu's leaves that to a detached signature beside each list. Empty
  /// where no mirror has one, or where nothing is verified. Error(untrusted) where it has no good
  /// signature.
  apt::ReleaseFile read_release(const std::string& suite) const {
    const auto path = base::cat("dists/", suite, "/InRelease");
    const auto document =
        verifier_ ? context_.http.get(request(path, largest_list), context_.stop) : std::nullopt;
    if (!document) {
      return {};
    }
    const auto text = verifier_->verify_clearsigned(document->body, document->url).text;
    auto release = apt::parse_release_file(text, document->url);
    apt::require_current(release, suite, context_.clock.now(), document->url);
    return release;
  }

  /// From InRelease, from the server's index, or from a list.
  std::vector<std::string> version_names(const Place& place) const {
    std::set<std::string> listed;
    for (const auto& [path, sums] : place.release.files) {
      const auto start = place.below_suite.size();
      if (path.starts_with(place.below_suite) && path.ends_with("SUMS")) {
        listed.insert(path.substr(start, path.find('/', start) - start));
      }
    }
    std::vector<std::string> names(listed.begin(), listed.end());
    if (names.empty()) {
      for (const auto* listing : {"", "LISTING"}) {
        if (const auto text = get(place.path(listing), largest_list)) {
          names = parse_directories(*text);
          break;
        }
      }
    }
    std::erase_if(names, [](const std::string& name) { return !is_version_name(name); });
    return names;
  }

  /// nullopt where the directory of a version has no list, or none that may be used.
  std::optional<SumsList> read_list(const Place& place, const std::string& version) const {
    for (const auto& kind : list_kinds) {
      for (const auto* images : image_directories) {
        const auto directory = base::cat(version, "/", images, "/");
        const auto text = get(place.path(directory + kind.name), largest_list);
        if (!text) {
          continue;
        }
        if (kind.algorithm == io::Algorithm::md5 && !options_.allow_md5) {
          context_.log.warning(base::cat(url(options_.mirrors.front(), place.path(directory)),
                                         ": has MD5SUMS only; left out (--allow-md5 takes them)"));
          return std::nullopt;
        }
        verify(place, directory + kind.name, *text);
        return SumsList{directory, kind.algorithm, *text};
      }
    }
    return std::nullopt;
  }

  std::vector<VersionFile> files(const Place& place, const SumsList& list,
                                 const ImageTree& tree) const {
    const auto sums = parse_sums(list.text, list.algorithm, place.path(list.directory));
    std::map<decltype(identity({})), VersionFile> chosen;
    for (const auto& [path, digest] : sums) {
      auto what = classify_image(path, tree);
      if (!what) {
        continue;
      }
      VersionFile file{std::move(*what), place.path(list.directory + path), {}};
      (list.algorithm == io::Algorithm::md5 ? file.sums.md5 : file.sums.sha256) = digest;
      const auto [other, is_new] = chosen.try_emplace(identity(file), file);
      if (!is_new && file.what.family < other->second.what.family) {
        other->second = file;
      }
    }
    std::vector<VersionFile> all;
    all.reserve(chosen.size());
    for (auto& [id, file] : chosen) {
      all.push_back(std::move(file));
    }
    return all;
  }

  io::ResponseHead probe(std::string url) const {
    constexpr int most_redirects = 5;
    io::ResponseHead answer;
    for (int i = 0; i <= most_redirects; ++i) {
      answer = context_.http.probe(url, context_.stop);
      const bool redirected = answer.status >= 300 && answer.status < 400;
      if (!redirected || !io::is_http_url(answer.location)) {
        break;
      }
      url = answer.location;
    }
    return answer;
  }

  void verify(const Place& place, const std::string& below, const std::string& text) const {
    if (!verifier_) {
      return;
    }
    const auto name = urls(place.path(below)).front();
    if (const auto* listed = place.release.file(place.below_suite + below)) {
      sstream::ChecksumVerifier verifier(*listed);
      verifier.update(text);
      verifier.verify(name);
      return;
    }
    const auto signature = get(place.path(below) + ".gpg", largest_signature);
    if (!signature) {
      throw base::Error(base::Errc::untrusted,
                        base::cat(name, ": not signed: it is not in the InRelease of ", place.suite,
                                  ", and there is no ", below, ".gpg"));
    }
    verifier_->verify_detached(text, *signature, name);
  }

  const ArchiveOptions& options_;
  const sstream::Context& context_;
  std::unique_ptr<io::Verifier> verifier_;
};

ArchiveOptions archive_options(const StreamConfig& config, ArchiveOptions options,
                               const std::string& arch) {
  if (options.mirrors.empty()) {
    options.mirrors = config.di_mirrors_of(arch);
  }
  if (options.keyring.empty()) {
    options.keyring = config.di_keyring;
  }
  return options;
}

std::vector<std::string> pockets_of(const StreamConfig& config, bool proposed) {
  auto pockets = config.di_pockets;
  const std::string name = "-proposed";
  if (proposed && std::ranges::find(pockets, name) == pockets.end()) {
    pockets.push_back(name);
  }
  return pockets;
}

std::string VersionFile::name() const {
  return base::base_name(path);
}

InstallerArchive::InstallerArchive(ArchiveOptions options, const sstream::Context& context)
    : options_(std::move(options)), context_(context) {
  if (options_.mirrors.empty()) {
    throw base::Error(base::Errc::usage, "no archive to take the installer from; give its mirror");
  }
  for (const auto& mirror : options_.mirrors) {
    if (!io::is_http_url(mirror)) {
      throw base::Error(base::Errc::usage,
                        base::cat("mirror '", mirror, "': expected an http or https URL"));
    }
  }
  reading_ = std::make_unique<Reading>(options_, context_);
}

InstallerArchive::~InstallerArchive() = default;

std::vector<InstallerVersion> InstallerArchive::versions(
    const ImageTree& tree, const std::string& arch, const std::vector<std::string>& pockets) const {
  std::vector<InstallerVersion> all;
  for (const auto& pocket : pockets) {
    base::check_stop(context_.stop);
    for (auto& version : reading_->suite(tree, arch, pocket)) {
      if (std::ranges::find(all, version.name, &InstallerVersion::name) == all.end()) {
        all.push_back(std::move(version));
      }
    }
  }
  std::ranges::stable_sort(all, [](const InstallerVersion& left, const InstallerVersion& right) {
    return apt::version_less(right.name, left.name);
  });
  return all;
}

void InstallerArchive::find_sizes(const std::vector<VersionFile*>& files) const {
  std::vector<VersionFile*> unknown;
  std::ranges::copy_if(files, std::back_inserter(unknown),
                       [](const VersionFile* file) { return file->sums.size == 0; });
  base::parallel_for(unknown.size(), probes_at_once, [&](std::size_t i) {
    base::check_stop(context_.stop);
    unknown[i]->sums.size = reading_->size_of(unknown[i]->path);
  });
}

sstream::NewFile InstallerArchive::new_file(const VersionFile& file,
                                            const std::string& path) const {
  auto request = reading_->request(file.path, 0);
  return {.path = path,
          .expected = file.sums,
          .origin = std::move(request.url),
          .mirrors = std::move(request.mirrors)};
}

}  // namespace meph2::installer
