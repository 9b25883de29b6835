#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <linux/filter.h>

#include "base/process/subprocess.h"

namespace meph2::image {

/// Capabilities that programs of an image have, within their user namespace: what installing
/// packages needs. docs/security.md has the reasons.
const std::vector<int>& kept_capabilities();

/// Takes all other capabilities for good from whatever is executed by this process. Throws where
/// one cannot be taken.
void bound_capabilities();

/// System calls that programs of an image may make: the list of systemd-nspawn without what it
/// gives to a system that boots, and without what few programs use and the kernel was broken by.
const std::vector<std::string>& allowed_calls();

/// The rights of the programs of an image: the system calls above, no other address family than the
/// usual ones, no user namespace, no input pushed into a terminal, no new rights by executing, and
/// limits of size. Calls are refused, nobody is killed for one.
class ProgramRights {
 public:
  /// `largest_file`: bytes that a program may make one file of.
  explicit ProgramRights(std::uint64_t largest_file);

  /// The command's program gets these rights and no others. They are to outlive it.
  void apply(base::Command& command) const;

 private:
  static bool restrict_child(const void* self);

  std::vector<std::vector<sock_filter>> filters_;  ///< in the order of their installation
  std::uint64_t largest_file_;
};

}  // namespace meph2::image
