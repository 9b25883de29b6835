#include "meph2/image/recipe.h"

#include <algorithm>
#include <cstdlib>

#include "base/fs/file.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"
#include "meph2/image/steps/kihelper.h"

namespace meph2::image {

namespace {

using io::Json;
using Strings = std::vector<std::string>;

/// Archives change: what was fetched from one a day ago is fetched again.
constexpr auto fresh_packages = std::chrono::hours(24);

Json fingerprints_of(const Strings& kihelpers) {
  Json out = Json::array();
  for (const auto& name : kihelpers) {
    auto file = base::open_file(find_kihelper(name), O_RDONLY);
    out.push_back(io::fingerprint_file(file));
  }
  return out;
}

void add_once(Strings& into, const std::string& word) {
  if (std::ranges::find(into, word) == into.end()) {
    into.push_back(word);
  }
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

}  // namespace

std::vector<KernelWork> kernel_works(const std::vector<KernelPack>& packs) {
  std::vector<KernelWork> out;
  for (const auto& pack : packs) {
    auto work = std::ranges::find(out, pack.package, &KernelWork::package);
    if (work == out.end()) {
      out.push_back({.package = pack.package});
      work = std::prev(out.end());
    }
    for (const auto& dtb : pack.dtbs) {
      add_once(work->dtbs, dtb.first);
    }
    if (!pack.kihelper.empty()) {
      add_once(work->kihelpers, pack.kihelper);
    }
    work->for_packs.push_back(&pack);
  }
  return out;
}

std::optional<Json> KnownRoot::inputs() const {
  if (!base || (adjusted && !layer)) {
    return std::nullopt;
  }
  return Json{{"adjust", adjusted ? *layer : ""}, {"base", *base}};
}

Recipe::Recipe(const BuildOptions& options, OsRelease os, ReleaseNeeds needs)
    : options_(options), os_(std::move(os)), needs_(std::move(needs)) {}

Proposed Recipe::proposed() const {
  auto mirror = needs_.proposed_mirrors.find(options_.arch);
  if (mirror == needs_.proposed_mirrors.end()) {
    mirror = needs_.proposed_mirrors.find("default");
  }
  const auto suite = base::replace_all(needs_.proposed_suite, "%(codename)s", os_.codename);
  std::string line;
  if (mirror != needs_.proposed_mirrors.end()) {
    line = base::cat("deb ", mirror->second, " ", suite, " ", needs_.proposed_components);
  }
  return {.wanted = options_.proposed || !options_.proposed_packages.empty(),
          .line = line,
          .suite = suite,
          .all = options_.proposed_packages.empty()};
}

AdjustInput Recipe::adjust_input() const {
  AdjustInput input{.proposed = proposed(),
                    .repositories = options_.add_repositories,
                    .purge = options_.pre_purge_packages,
                    .upgrade = options_.proposed && options_.proposed_packages.empty(),
                    .add = options_.add_packages,
                    .divert = needs_.initrd.divert};
  for (const auto& name : options_.proposed_packages) {
    input.add.push_back(base::cat(name, "/", input.proposed.suite));
  }
  if (options_.kernel != "none") {
    input.add.push_back(options_.kernel);
  }
  return input;
}

PrepareInput Recipe::prepare_input() const {
  PrepareInput input{.needs = needs_.initrd, .proposed = proposed(), .kernels = {}};
  for (const auto& work : kernel_works(options_.packs)) {
    input.kernels.push_back(work.package);
  }
  return input;
}

KernelInput Recipe::kernel_input(const KernelWork& work) const {
  return {.needs = needs_.initrd, .package = work.package, .dtbs = work.dtbs};
}

std::string Recipe::compression() const {
  return options_.compression.empty() ? needs_.compression : options_.compression;
}

StageInputs Recipe::adjust_stage(const Known& base) const {
  StageInputs out{.stage = "adjust", .inputs = {}, .fresh_for = fresh_packages, .layer = true};
  if (base) {
    out.inputs = Json{{"base", *base},
                      {"epoch", variable("SOURCE_DATE_EPOCH")},
                      {"input", to_json(adjust_input())}};
  }
  return out;
}

StageInputs Recipe::squashfs_stage(const KnownRoot& root) const {
  StageInputs out{.stage = "squashfs", .inputs = root.inputs()};
  if (out.inputs) {
    out.inputs->update({{"compression", compression()}, {"epoch", variable("SOURCE_DATE_EPOCH")}});
  }
  return out;
}

StageInputs Recipe::prepare_stage(const KnownRoot& root) const {
  StageInputs out{
      .stage = "prepare", .inputs = root.inputs(), .fresh_for = fresh_packages, .layer = true};
  if (out.inputs) {
    out.inputs->update({{"input", to_json(prepare_input())}});
  }
  return out;
}

StageInputs Recipe::kernel_stage(const KernelWork& work, const Known& prepare) const {
  StageInputs out{.stage = "kernel", .inputs = {}, .of = work.package};
  if (prepare) {
    out.inputs = Json{{"epoch", variable("SOURCE_DATE_EPOCH")},
                      {"input", to_json(kernel_input(work))},
                      {"kihelpers", fingerprints_of(work.kihelpers)},
                      {"prepare", *prepare}};
  }
  return out;
}

StageInputs root_image_stage(const RootImageOptions& wanted, const KnownRoot& root) {
  StageInputs out{.stage = "root-image", .inputs = root.inputs()};
  if (out.inputs) {
    out.inputs->update({{"epoch", variable("SOURCE_DATE_EPOCH")}, {"size", wanted.size}});
  }
  return out;
}

StageInputs source_stage(const BuildOptions& options, const std::string& conf,
                         const Known& digest) {
  StageInputs out{.stage = "source", .inputs = {}};
  if (digest) {
    Json conf_fingerprint;
    if (options.compression.empty()) {  // as the release needs, which the file says
      auto file = base::open_file(conf, O_RDONLY);
      conf_fingerprint = io::fingerprint_file(file);
    }
    out.inputs = Json{{"arch", options.arch},
                      {"compression", options.compression},
                      {"conf", conf_fingerprint},
                      {"format", options.format},
                      {"sha256", *digest}};
  }
  return out;
}

}  // namespace meph2::image
