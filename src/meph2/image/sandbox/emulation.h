#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/fs/file.h"

namespace meph2::image {

/// What this machine has for running programs of another architecture.
struct EmulationFacts {
  std::string machine;        ///< uname -m
  std::string kernel;         ///< uname -r
  std::string static_format;  ///< $QEMU_STATIC_FMT, with "%a" for QEMU's name; empty: not set
  bool registered = false;    ///< the kernel runs such programs in any root directory already
  std::string interpreter;    ///< the emulator's path
  bool interpreter_exists = false;
  bool interpreter_is_static = false;
};

/// Whether a machine (`uname -m`) runs the programs of a Debian architecture by itself. Unknown
/// architectures are taken for the machine's own: nobody knows an emulator for them.
bool runs_natively(const std::string& arch, const std::string& machine);

/// Where $QEMU_STATIC_FMT, or else Debian's packages, have the emulator for it.
std::string interpreter_path(const std::string& static_format, const std::string& arch);

/// Whether a file of /proc/sys/fs/binfmt_misc is a rule that runs programs of `arch` in any root
/// directory: enabled, for its ELF header, and with the emulator opened beforehand (flag F).
bool rule_serves(std::string_view text, const std::string& arch);

/// The line that registers `interpreter` for programs of `arch` (Documentation/admin-guide/
/// binfmt-misc.rst), opened now (F), and with the programs' own argv[0] (P).
std::string rule_for(const std::string& arch, const std::string& interpreter);

/// Whether an ELF program runs without a loader and libraries of its root directory.
bool is_static_program(std::string_view head);

EmulationFacts read_emulation_facts(const std::string& arch);

/// What is missing for running programs of `arch`, with what mends it; empty: nothing.
std::string missing_for_emulation(const EmulationFacts& facts, const std::string& arch);

/// Throws Error(refused) where a build of an image of that architecture could not run its programs.
void require_emulation(const std::string& arch);

/// The emulator for a stage, to be opened before the host's root directory goes away; empty where
/// programs of `arch` run without one of ours.
std::optional<base::File> open_emulator(const std::string& arch);

/// In the first process of a stage, with one thread, the image being the root directory: from now
/// on its programs are run by `emulator`. That is known to this user namespace (a new one, where
/// the stage has none of its own) and its children only, and ends with them: neither the machine
/// nor the image has a trace of it. Error(refused) where the kernel does not do that.
void start_emulation(const base::File& emulator, const std::string& arch);

}  // namespace meph2::image
