#pragma once

#include <string>
#include <vector>

#include "meph2/image/options.h"
#include "meph2/image/root/root_image.h"
#include "meph2/image/stage_store.h"
#include "meph2/image/steps/needs.h"
#include "meph2/image/steps/stage_input.h"

namespace meph2::image {

/// Rows that ask for the same kernel are one piece of work with many targets.
struct KernelWork {
  std::string package;
  std::vector<std::string> kihelpers = {};  ///< that some of them have, each once
  std::vector<std::string> dtbs = {};       ///< names, each once
  std::vector<const KernelPack*> for_packs = {};
};

std::vector<KernelWork> kernel_works(const std::vector<KernelPack>& packs);

/// The root that images are made of, and that kernels are put into.
struct KnownRoot {
  Known base;             ///< the squashfs that the build starts from
  bool adjusted = false;  ///< whether there is an adjust layer above it
  Known layer = {};       ///< that layer

  /// What its stages record of it.
  std::optional<io::Json> inputs() const;
};

/// What the stages of one build are told, and what each is made from: the same for the build and
/// for its plan.
class Recipe {
 public:
  Recipe(const BuildOptions& options, OsRelease os, ReleaseNeeds needs);

  /// For the stages' processes.
  AdjustInput adjust_input() const;
  PrepareInput prepare_input() const;
  KernelInput kernel_input(const KernelWork& work) const;

  /// Compression of the squashfs of a changed root.
  std::string compression() const;

  /// What they are kept by.
  StageInputs adjust_stage(const Known& base) const;
  StageInputs squashfs_stage(const KnownRoot& root) const;
  StageInputs prepare_stage(const KnownRoot& root) const;
  StageInputs kernel_stage(const KernelWork& work, const Known& prepare) const;

 private:
  Proposed proposed() const;

  const BuildOptions& options_;
  OsRelease os_;
  ReleaseNeeds needs_;
};

/// A root image is made of the squashfs of the source, or of that of the changed root.
StageInputs root_image_stage(const RootImageOptions& wanted, const KnownRoot& root);

/// What a source that is no squashfs is brought to one by; `digest` is the SHA-256 of the file.
/// `conf` is the file of release needs.
StageInputs source_stage(const BuildOptions& options, const std::string& conf, const Known& digest);

}  // namespace meph2::image
