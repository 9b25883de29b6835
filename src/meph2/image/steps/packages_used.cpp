#include "meph2/image/steps/packages_used.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "io/json/json.h"

namespace meph2::image {

namespace {

using io::Json;

constexpr std::uint64_t largest_release = 64ULL << 20U;

/// As apt makes a file name of a part of a URL.
std::string as_list_name(std::string_view text) {
  constexpr std::string_view quoted = "\\|{}[]<>\"^~_=!@#$%&*";
  std::string out;
  for (const char each : text) {
    if (quoted.find(each) != std::string_view::npos) {
      out += base::cat("%", base::to_hex(std::string_view(&each, 1)));
    } else {
      out += each == '/' ? '_' : each;
    }
  }
  return out;
}

/// The digest of the file that vouches for a list; empty where there is none.
std::string release_digest(const ImageRoot& root, const std::string& metakey,
                           const std::string& list) {
  const auto name = list.rfind(as_list_name(metakey));
  if (metakey.empty() || name == std::string::npos) {
    return {};
  }
  for (const auto* release : {"InRelease", "Release"}) {
    const auto path = list.substr(0, name) + release;
    if (root.exists(path)) {
      auto file = root.open(path, largest_release);
      return io::digest_file(io::Algorithm::sha256, file);
    }
  }
  return {};
}

}  // namespace

Json read_archives(const ImageRoot& root, const std::string& targets) {
  std::set<std::array<std::string, 3>> found;
  for (const auto& line : base::split(targets, '\n')) {
    const auto fields = base::split(line, '\t');
    if (fields.size() != 4) {
      continue;
    }
    if (auto digest = release_digest(root, fields[2], fields[3]); !digest.empty()) {
      found.insert({base::redact_urls(fields[0]), fields[1], std::move(digest)});
    }
  }
  auto out = Json::array();
  for (const auto& [url, suite, digest] : found) {
    out.push_back({{"sha256", digest}, {"suite", suite}, {"url", url}});
  }
  return out;
}

Json archives_in_use(const Chroot& chroot) {
  return read_archives(chroot.root(),
                       chroot.answer_of({"apt-get", "indextargets", "--format", archive_format}));
}

Json versions_of(const std::vector<std::string>& words, const std::vector<Package>& packages) {
  auto out = Json::object();
  for (const auto& word : words) {
    const auto name = word.substr(0, word.find_first_of("/=:"));
    const auto found = std::ranges::find_if(
        packages, [&](const Package& each) { return each.installed && each.name == name; });
    if (found != packages.end()) {
      out[name] = found->version;
    }
  }
  return out;
}

}  // namespace meph2::image
