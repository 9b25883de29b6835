#pragma once

#include <string>
#include <vector>

#include "base/process/subprocess.h"
#include "meph2/image/sandbox/image_root.h"
#include "meph2/image/sandbox/rights.h"
#include "meph2/image/steps/dpkg.h"
#include "meph2/image/steps/stage_output.h"

namespace meph2::image {

/// Runs programs of the image that is our root directory by now, with an environment of our own.
class Chroot {
 public:
  /// `output`: where what programs print goes. `make_initrds`: whether the hooks of kernel packages
  /// may make initrds.
  Chroot(const StageOutput& output, bool make_initrds);

  base::Outcome run(const std::vector<std::string>& argv) const;

  /// What a program prints on stdout; nothing where it fails.
  std::string answer_of(const std::vector<std::string>& argv) const;

  /// A status other than 0 is Error(failed) with the last lines that the program printed.
  void run_checked(const std::vector<std::string>& argv) const;

  /// apt-get with the options that an unattended build needs: `words`, the command the last of
  /// them, for `packages`.
  void apt_get(const std::vector<std::string>& words,
               const std::vector<std::string>& packages = {}) const;

  /// Its files.
  const ImageRoot& root() const { return root_; }

  /// Whether the image has a program of that name.
  bool has_program(const std::string& name) const;

  /// The status file of the image. Error(untrusted) where it has no dpkg.
  std::vector<Package> packages() const;

  /// What an installed package owns.
  std::vector<std::string> files_of(const Package& package) const;

 private:
  base::Command command(const std::vector<std::string>& argv) const;

  ImageRoot root_;
  ProgramRights rights_;
  StageOutput output_;
  bool make_initrds_;
};

}  // namespace meph2::image
