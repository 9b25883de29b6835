#include "meph2/image/kernels.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/file.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "meph2/image/sandbox/namespaces.h"
#include "meph2/image/steps/kihelper.h"

namespace meph2::image {

namespace {

std::ptrdiff_t index_of(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) - words.begin();
}

/// What cannot suffice is refused before apt is let loose: with a full disk it may wait for ever.
void require_scratch(const Workplace& workplace, std::uint64_t kernels) {
  constexpr std::uint64_t for_lists = 96ULL << 20U;    // package lists, unpacked
  constexpr std::uint64_t for_kernel = 128ULL << 20U;  // archive, modules, initrd: at least
  const auto needed = for_lists + kernels * for_kernel;
  const auto free = workplace.free_bytes();
  if (free < needed) {
    throw base::Error(
        base::Errc::failed,
        base::cat("prepare ", kernels, " kernels: ", workplace.scratch(),
                  ": No space left on device (need at least ", base::human_bytes(needed), ", free ",
                  base::human_bytes(free), ")"));
  }
}

/// Where kernel and initrd are as the helper of that number left them, in what was packed.
std::string helped(std::ptrdiff_t helper) {
  return base::cat("helped-", helper);
}

/// It sees the root with the kernel of `pack` installed, and rewrites copies of what is handed
/// over.
void run_kihelper_of(const KernelWork& work, std::ptrdiff_t helper, const StageJob& pack,
                     const std::string& version, const Site& site, int log) {
  const auto out = base::cat(site.workplace.scratch(), "/", pack.layers.upper, "/out");
  const auto place = base::cat(out, "/", helped(helper));
  base::make_directories(place);
  const auto directory = base::open_directory(place);
  for (const auto* name : {"kernel", "initrd"}) {
    auto from = base::open_file(base::cat(out, "/", name), O_RDONLY);
    base::clone_file(from, directory.fd(), name, false);
    give_to_image(base::cat(place, "/", name));
  }
  give_to_image(place);
  auto job = pack;
  job.input =
      KihelperInput{.program = find_kihelper(work.kihelpers[static_cast<std::size_t>(helper)]),
                    .place = place,
                    .version = version};
  job.label = base::cat(pack.label, ", kihelper ", helper);
  job.layers.lowers.insert(job.layers.lowers.begin(), pack.layers.upper + "/upper");
  job.layers.upper.clear();
  site.run(job, log);
}

StageOutcome pack_kernel(const KernelWork& work, const StageInputs& inputs, const StageJob& pack,
                         Site& site) {
  const auto layer = base::cat(site.workplace.scratch(), "/", pack.layers.upper);
  auto outcome = site.record.run(site.stages, inputs, pack.label, layer + "/out", {}, [&](int log) {
    auto done = site.run(pack, log);
    for (const auto& helper : work.kihelpers) {
      run_kihelper_of(work, index_of(work.kihelpers, helper), pack,
                      done.at("version").get<std::string>(), site, log);
    }
    base::remove_tree(layer + "/upper");
    return done;
  });
  site.context.log.info(
      base::cat(work.package, ": kernel ", outcome.result.at("file").get<std::string>()));
  return outcome;
}

void hand_over(const KernelWork& work, const std::string& packed, Site& site) {
  const auto root = base::open_directory(packed);
  const auto copy = [&](const std::string& from, const std::string& path) {
    site.publish_copy(base::open_beneath(root.fd(), from, O_RDONLY), path);
  };
  for (const auto* pack : work.for_packs) {
    const auto place =
        pack->kihelper.empty() ? "" : helped(index_of(work.kihelpers, pack->kihelper)) + "/";
    copy(place + "kernel", pack->kernel);
    copy(place + "initrd", pack->initrd);
    for (const auto& [name, path] : pack->dtbs) {
      copy(base::cat("dtb-", index_of(work.dtbs, name)), path);
    }
  }
}

}  // namespace

std::vector<PackedKernel> pack_kernels(const std::vector<KernelWork>& works, const Recipe& recipe,
                                       const KnownRoot& root, StageJob start, Site& site) {
  for (const auto& work : works) {
    for (const auto& helper : work.kihelpers) {
      find_kihelper(helper);  // before an hour is spent
    }
  }
  require_scratch(site.workplace, works.size());
  site.context.log.info(base::cat("preparing ", works.size(), " kernels"));
  auto prepare = start;
  prepare.input = recipe.prepare_input();
  prepare.label = "prepared layer";
  prepare.layers.upper = "prepare";
  prepare.network = true;
  const auto prepared = site.make_layer(recipe.prepare_stage(root), prepare);
  start.layers.lowers.insert(start.layers.lowers.begin(), "prepare/upper");
  std::vector<StageOutcome> packed(works.size());
  base::parallel_for(works.size(), site.jobs, [&](std::size_t i) {
    base::check_stop(site.context.stop);
    auto job = start;
    job.input = recipe.kernel_input(works[i]);
    job.label = base::cat("kernel ", works[i].package);
    job.layers.upper = base::cat("kernel-", i);
    packed[i] = pack_kernel(works[i], recipe.kernel_stage(works[i], prepared), job, site);
  });
  std::vector<PackedKernel> out;
  for (std::size_t i = 0; i < works.size(); ++i) {
    hand_over(works[i], packed[i].path, site);
    out.push_back({works[i].package, packed[i].result.at("version").get<std::string>()});
  }
  return out;
}

}  // namespace meph2::image
