#include "meph2/image/options.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "meph2/image/root/detect.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

[[noreturn]] void bad_pack(std::string_view text, std::string_view reason) {
  throw Error(Errc::usage, base::cat("--krd-pack=", text, ": ", reason));
}

/// Names go to apt-get as words of their own: nothing that it could read as an option.
void require_package_name(const std::string& name, std::string_view where) {
  const bool fine = !name.empty() && name.front() != '-' &&
                    name.find_first_not_of(
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789+-.:_=~/") == std::string::npos;
  if (!fine) {
    throw Error(Errc::usage, base::cat(where, ": '", name, "' is no package name"));
  }
}

}  // namespace

KernelPack parse_kernel_pack(std::string_view text) {
  const auto words = base::split(text, ',');
  if (words.size() < 3) {
    bad_pack(text, "PKG,KERNEL,INITRD expected");
  }
  KernelPack pack;
  pack.package = words[0];
  pack.kernel = words[1];
  pack.initrd = words[2];
  require_package_name(pack.package, "--krd-pack");
  if (pack.kernel.empty() || pack.initrd.empty()) {
    bad_pack(text, "PKG,KERNEL,INITRD expected");
  }
  for (std::size_t i = 3; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word.starts_with("--dtb=")) {
      const auto pair = word.substr(6);
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || equals == 0 || equals + 1 == pair.size()) {
        bad_pack(text, "--dtb=NAME=FILE expected");
      }
      pack.dtbs.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    } else if (word.starts_with("--kihelper=") && word.size() > 11) {
      pack.kihelper = word.substr(11);
    } else {
      bad_pack(text, base::cat("unknown part '", word, "'"));
    }
  }
  return pack;
}

bool BuildOptions::adjusts() const {
  return proposed || !proposed_packages.empty() || !pre_purge_packages.empty() ||
         kernel != "none" || !add_repositories.empty() || !add_packages.empty();
}

bool BuildOptions::mounts() const {
  return adjusts() || !packs.empty();
}

void check_options(const BuildOptions& options) {
  const auto& formats = image_formats();
  if (std::ranges::find(formats, options.format) == formats.end()) {
    throw Error(Errc::usage, base::cat("--format=", options.format, ": one of ",
                                       base::join(formats, ", "), " expected"));
  }
  if (!options.compression.empty() && options.compression != "xz" &&
      options.compression != "zstd" && options.compression != "gzip") {
    throw Error(Errc::usage,
                base::cat("--compression=", options.compression, ": xz, zstd or gzip expected"));
  }
  for (const auto* list :
       {&options.proposed_packages, &options.pre_purge_packages, &options.add_packages}) {
    for (const auto& name : *list) {
      require_package_name(name, "package list");
    }
  }
  if (options.kernel != "none") {
    require_package_name(options.kernel, "--kernel");
  }
  constexpr std::uint64_t least = 16ULL << 20U;
  constexpr std::uint64_t most = 1ULL << 40U;
  if (options.root_image_size &&
      (*options.root_image_size < least || *options.root_image_size > most)) {
    throw Error(Errc::usage, "--root-image-size: between 16M and 1T expected");
  }
  std::set<std::string> outputs;
  const auto claim = [&outputs](const std::string& path) {
    if (!path.empty() && !outputs.insert(path).second) {
      throw Error(Errc::usage, base::cat(path, ": named twice as output"));
    }
  };
  claim(options.root_image);
  claim(options.manifest);
  claim(options.report);
  for (const auto& pack : options.packs) {
    claim(pack.kernel);
    claim(pack.initrd);
    for (const auto& dtb : pack.dtbs) {
      claim(dtb.second);
    }
  }
}

}  // namespace meph2::image
