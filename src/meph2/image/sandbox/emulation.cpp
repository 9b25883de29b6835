#include "meph2/image/sandbox/emulation.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "meph2/image/sandbox/sandbox.h"
#include "meph2/image/sandbox/unprivileged.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

constexpr const char* rules_directory = "/proc/sys/fs/binfmt_misc";
constexpr const char* usual_format = "/usr/bin/qemu-%a-static";

/// An architecture as Debian, QEMU and ELF (e_ident, e_machine) know it.
struct Architecture {
  const char* name;
  const char* qemu;
  bool wide;  ///< 64 bits
  bool big_endian;
  unsigned machine;
};

constexpr std::array<Architecture, 9> architectures{{
    {"amd64", "x86_64", true, false, 62},
    {"i386", "i386", false, false, 3},
    {"arm64", "aarch64", true, false, 183},
    {"armhf", "arm", false, false, 40},
    {"armel", "arm", false, false, 40},
    {"ppc64el", "ppc64le", true, false, 21},
    {"s390x", "s390x", true, true, 22},
    {"riscv64", "riscv64", true, false, 243},
    {"powerpc", "ppc", false, true, 20},
}};

const Architecture* find_architecture(const std::string& name) {
  const auto* found =
      std::ranges::find_if(architectures, [&name](const auto& each) { return name == each.name; });
  return found == architectures.end() ? nullptr : found;
}

/// The first 20 bytes of its programs: magic, class, byte order, version, nothing, type, machine.
std::string elf_head(const Architecture& arch) {
  std::string head =
      "\x7f"
      "ELF";
  head += static_cast<char>(arch.wide ? 2 : 1);
  head += static_cast<char>(arch.big_endian ? 2 : 1);
  head += '\x01';
  head.resize(16, '\0');
  const auto half = [&](unsigned value) {
    const auto low = static_cast<char>(value & 0xFFU);
    const auto high = static_cast<char>(value >> 8U);
    head += arch.big_endian ? high : low;
    head += arch.big_endian ? low : high;
  };
  half(2);
  half(arch.machine);
  return head;
}

/// Any ABI, and types 2 (fixed address) and 3 (anywhere).
std::string elf_mask(const Architecture& arch) {
  std::string mask(20, '\xff');
  mask[7] = '\0';
  mask[arch.big_endian ? 17 : 16] = '\xfe';
  return mask;
}

std::string escaped(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out += "\\x" + base::to_hex(std::string_view(&byte, 1));
  }
  return out;
}

bool registered(const std::string& arch) {
  try {
    for (const auto& name : base::list_directory(rules_directory)) {
      if (name != "register" && name != "status" &&
          rule_serves(base::read_file(base::cat(rules_directory, "/", name), 1U << 16U), arch)) {
        return true;
      }
    }
  } catch (const Error&) {
    return false;  // nothing is mounted there, or it is not ours to read
  }
  return false;
}

std::string head_of(const std::string& path) {
  try {
    auto file = base::open_file(path, O_RDONLY);
    std::string head(4096, '\0');
    head.resize(file.read_at(head, 0));
    return head;
  } catch (const Error&) {
    return {};
  }
}

void write_text(const std::string& path, const std::string& text) {
  auto file = base::open_file(path, O_WRONLY);
  file.write(text);
  file.close();
}

/// Who names an emulator wants that one.
bool machine_does_it(const EmulationFacts& facts, const std::string& arch) {
  return runs_natively(arch, facts.machine) || (facts.registered && facts.static_format.empty());
}

}  // namespace

bool runs_natively(const std::string& arch, const std::string& machine) {
  const auto* known = find_architecture(arch);
  if (known == nullptr || machine == known->qemu) {
    return true;
  }
  if (arch == "i386") {
    return machine == "x86_64" || machine == "i686" || machine == "i586";
  }
  if (arch == "armhf" || arch == "armel") {
    return machine == "aarch64" || machine.starts_with("arm");
  }
  return false;
}

std::string interpreter_path(const std::string& static_format, const std::string& arch) {
  const auto* known = find_architecture(arch);
  return base::replace_all(static_format.empty() ? usual_format : static_format, "%a",
                           known == nullptr ? arch : known->qemu);
}

bool rule_serves(std::string_view text, const std::string& arch) {
  const auto* known = find_architecture(arch);
  if (known == nullptr) {
    return false;
  }
  const auto lines = base::split(text, '\n');
  const auto magic = "magic " + base::to_hex(elf_head(*known));
  const bool fixed = std::ranges::any_of(lines, [](const std::string& line) {
    return line.starts_with("flags:") && line.find('F', 6) != std::string::npos;
  });
  return lines[0] == "enabled" && fixed && std::ranges::find(lines, magic) != lines.end();
}

std::string rule_for(const std::string& arch, const std::string& interpreter) {
  const auto* known = find_architecture(arch);
  if (known == nullptr) {
    throw Error(Errc::internal, base::cat("no emulator is known for ", arch));
  }
  return base::cat(":meph2-", known->qemu, ":M::", escaped(elf_head(*known)), ":",
                   escaped(elf_mask(*known)), ":", interpreter, ":PF");
}

bool is_static_program(std::string_view head) {
  const auto byte = [&head](std::size_t at) {
    return at < head.size() ? static_cast<unsigned char>(head[at]) : 0U;
  };
  if (!head.starts_with("\x7f"
                        "ELF") ||
      head.size() < 64) {
    return false;
  }
  const bool wide = byte(4) == 2;
  const bool big = byte(5) == 2;
  const auto number = [&](std::size_t at, std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      value = value << 8U | byte(at + (big ? i : width - 1 - i));
    }
    return value;
  };
  const auto table = number(wide ? 32 : 28, wide ? 8 : 4);  // e_phoff
  const auto size = number(wide ? 54 : 42, 2);              // e_phentsize
  const auto count = number(wide ? 56 : 44, 2);             // e_phnum
  constexpr std::uint64_t wants_loader = 3;                 // PT_INTERP
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto at = table + i * size;
    if (at + 4 > head.size() || number(static_cast<std::size_t>(at), 4) == wants_loader) {
      return false;
    }
  }
  return count > 0;
}

EmulationFacts read_emulation_facts(const std::string& arch) {
  EmulationFacts facts;

  struct utsname system {};

  ::uname(&system);
  facts.machine = static_cast<const char*>(system.machine);
  facts.kernel = static_cast<const char*>(system.release);
  const char* format = std::getenv("QEMU_STATIC_FMT");
  facts.static_format = format == nullptr ? "" : format;
  facts.registered = registered(arch);
  facts.interpreter = interpreter_path(facts.static_format, arch);
  facts.interpreter_exists = ::access(facts.interpreter.c_str(), R_OK | X_OK) == 0;
  facts.interpreter_is_static = is_static_program(head_of(facts.interpreter));
  return facts;
}

std::string missing_for_emulation(const EmulationFacts& facts, const std::string& arch) {
  if (machine_does_it(facts, arch)) {
    return {};
  }
  if (!facts.interpreter_exists) {
    return base::cat("there is no ", facts.interpreter,
                     " (install the package qemu-user-static, or name another emulator with "
                     "QEMU_STATIC_FMT)");
  }
  if (!facts.interpreter_is_static) {
    return base::cat(facts.interpreter,
                     " is no statically linked program, and would want its libraries inside of the "
                     "image (install the package qemu-user-static)");
  }
  if (!kernel_is_at_least(facts.kernel, 6, 7)) {
    return base::cat(
        "kernel ", facts.kernel,
        " knows emulators for the whole machine only, and none is registered: as root, "
        "install qemu-user-static and run systemctl restart systemd-binfmt (without "
        "systemd: install binfmt-support, too)");
  }
  return {};
}

void require_emulation(const std::string& arch) {
  const auto facts = read_emulation_facts(arch);
  if (const auto missing = missing_for_emulation(facts, arch); !missing.empty()) {
    throw Error(Errc::refused,
                base::cat("build an image of ", arch, " on ", facts.machine, ": ", missing));
  }
}

std::optional<base::File> open_emulator(const std::string& arch) {
  const auto facts = read_emulation_facts(arch);
  if (machine_does_it(facts, arch)) {
    return std::nullopt;
  }
  return base::open_file(facts.interpreter, O_RDONLY);
}

void start_emulation(const base::File& emulator, const std::string& arch) {
  const std::string rules = "/run/meph2-binfmt";
  base::make_directories(rules);
  if (::mount("binfmt_misc", rules.c_str(), "binfmt_misc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              nullptr) != 0) {
    const int error = errno;
    Error failure(
        Errc::refused,
        "run an emulator: this kernel keeps no rules of a namespace (binfmt_misc of Linux "
        "6.7); as root, run systemctl restart systemd-binfmt");
    failure.set_errno(error);
    throw failure;
  }
  // Opened by the kernel at once: the file is of the old root directory.
  write_text(rules + "/register", rule_for(arch, base::cat("/proc/self/fd/", emulator.fd())));
}

}  // namespace meph2::image
