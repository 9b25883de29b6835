#include "meph2/image/steps/chroot_steps.h"

#include <cstdlib>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "meph2/image/sandbox/namespaces.h"
#include "meph2/image/sandbox/sandbox.h"
#include "meph2/image/steps/adjust.h"
#include "meph2/image/steps/chroot.h"
#include "meph2/image/steps/handed_out.h"
#include "meph2/image/steps/kernel_files.h"
#include "meph2/image/steps/needs.h"
#include "meph2/image/steps/packages_used.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;
using io::Json;
using Strings = std::vector<std::string>;

constexpr std::uint64_t largest_module_list = 64ULL << 20U;
constexpr std::uint64_t largest_configuration = 1ULL << 20U;

constexpr const char* made_initrd = "/boot/meph2-initrd";
constexpr const char* deny_services =
    "#!/bin/sh\n# No service is started while an image is built.\nexit 101\n";

/// Kernel packages' hooks make initrds and boot loader menus: in a scratch layer nobody wants them.
void empty_kernel_hooks(const ImageRoot& root) {
  for (const auto* name : {"postinst.d", "postrm.d", "preinst.d", "prerm.d"}) {
    root.remove_tree(base::cat("/etc/kernel/", name));
    root.make_directories(base::cat("/etc/kernel/", name));
  }
}

/// Adds the modules that the image's own configuration does not name yet.
void add_modules(const ImageRoot& root, const Strings& modules) {
  const std::string path = "/etc/initramfs-tools/modules";
  if (modules.empty() || !root.exists("/etc/initramfs-tools")) {
    return;
  }
  auto text = root.read(path, largest_configuration).value_or("");
  if (!text.empty() && text.back() != '\n') {
    text += '\n';
  }
  for (const auto& module : modules) {
    text += module + "\n";
  }
  root.write(path, text, 0644);
}

void write_files(const ImageRoot& root, const std::map<std::string, std::string>& files) {
  for (const auto& [path, content] : files) {
    const bool program =
        path.find("/hooks/") != std::string::npos || path.find("/scripts/") != std::string::npos;
    root.write(path, content, program ? 0755 : 0644);
  }
}

/// The generator that the image has decides; the one of the release is installed where it has none.
Strings initrd_packages(const Chroot& chroot, const InitrdNeeds& needs) {
  if (!chroot.has_program("mkinitramfs") && chroot.has_program("dracut")) {
    return needs.dracut_packages;
  }
  auto packages = needs.initrd_packages;
  if (!chroot.has_program("mkinitramfs")) {
    packages.insert(packages.begin(), needs.generator.begin(), needs.generator.end());
  }
  for (const auto& name : needs.initrd_optional) {
    if (chroot.run({"apt-get", "install", "--simulate", "--quiet", name}).status == 0) {
      packages.push_back(name);
    }
  }
  return packages;
}

/// The layer below all kernels: package lists, what the initrds need, and every .deb of every
/// kernel, so that the network is asked once.
Json prepare(const Chroot& chroot, const PrepareInput& input) {
  for (const auto& path : input.needs.scratch_remove) {
    chroot.root().remove(path);
  }
  divert_programs(chroot, input.needs.divert);
  enable_proposed(chroot.root(), input.proposed);
  base::with_context("package lists", [&chroot] { chroot.apt_get({"update"}); });
  auto packages = initrd_packages(chroot, input.needs);
  if (!packages.empty()) {
    base::with_context("packages for the initrd", [&] {
      chroot.apt_get({"--no-install-recommends", "install"}, packages);
    });
  }
  if (!input.needs.purge.empty()) {
    base::with_context("packages to purge", [&] { chroot.apt_get({"purge"}, input.needs.purge); });
  }
  empty_kernel_hooks(chroot.root());
  add_modules(chroot.root(), input.needs.modules);
  write_files(chroot.root(), input.needs.files);
  for (const auto& kernel : input.kernels) {
    base::with_context(base::cat("kernel ", kernel), [&] {
      chroot.apt_get({"--no-install-recommends", "--download-only", "install", kernel});
    });
  }
  auto archives = archives_in_use(chroot);
  end_other_processes();
  return {{"archives", std::move(archives)},
          {"packages", versions_of(packages, chroot.packages())}};
}

/// Those that the kernel has: dracut installs none of its list where one is missing.
Strings known_modules(const ImageRoot& root, const std::string& version, const Strings& names) {
  const auto directory = base::cat("/lib/modules/", version);
  std::string all;
  for (const auto* file : {"modules.dep", "modules.builtin"}) {
    const auto text = root.read(base::cat(directory, "/", file), largest_module_list);
    all += base::replace_all(text.value_or(""), "-", "_");
  }
  Strings out;
  for (const auto& name : names) {
    const auto plain = base::replace_all(name, "-", "_");
    if (all.find(base::cat("/", plain, ".ko")) != std::string::npos) {
      out.push_back(name);
    }
  }
  return out;
}

/// The same packages make the same initrd, whenever and by whom: its newest files are as old as the
/// kernel. (Generators honour SOURCE_DATE_EPOCH; the caller's own one stays.)
void date_initrd(const ImageRoot& root, const std::string& kernel) {
  const auto date = root.open(kernel, largest_handed_out("kernel").value()).status().st_mtime;
  ::setenv("SOURCE_DATE_EPOCH", std::to_string(date).c_str(), 0);
}

void make_initrd(const Chroot& chroot, const InitrdNeeds& needs, const std::string& version) {
  if (!chroot.root().exists(base::cat("/lib/modules/", version, "/modules.dep"))) {
    chroot.run_checked({"depmod", "-a", version});
  }
  if (chroot.has_program("mkinitramfs")) {
    chroot.run_checked({"mkinitramfs", "-o", made_initrd, version});
  } else {
    Strings argv = {"dracut",         "--force", "--no-hostonly", "--no-hostonly-cmdline",
                    "--reproducible", "--kver",  version};
    for (const auto& name : needs.dracut_modules) {
      argv.insert(argv.end(), {"--add", name});
    }
    for (const auto& name : known_modules(chroot.root(), version, needs.dracut_drivers)) {
      argv.insert(argv.end(), {"--add-drivers", name});
    }
    argv.emplace_back(made_initrd);
    chroot.run_checked(argv);
  }
  if (!chroot.root().exists(made_initrd)) {
    throw Error(Errc::failed, base::cat("initrd for ", version, ": none was made"));
  }
}

void hand_over(const ImageRoot& root, const std::string& path, StageSocket& socket,
               const std::string& name) {
  auto from = root.open(path, largest_handed_out(name).value());
  socket.send_file(name, from);
}

Json pack_kernel(const Chroot& chroot, const KernelInput& input, StageSocket& socket) {
  chroot.apt_get({"--no-install-recommends", "--no-download", "install", input.package});
  const auto& root = chroot.root();
  const auto kernel = find_kernel(chroot, input.package);
  date_initrd(root, kernel.path);
  make_initrd(chroot, input.needs, kernel.version);
  end_other_processes();
  hand_over(root, kernel.path, socket, "kernel");
  hand_over(root, made_initrd, socket, "initrd");
  std::size_t number = 0;
  for (const auto& name : input.dtbs) {
    hand_over(root, find_device_tree(root, kernel.version, name), socket,
              base::cat("dtb-", number++));
  }
  return {{"version", kernel.version},
          {"package", kernel.package},
          {"packages", versions_of({input.package}, chroot.packages())},
          {"file", kernel.path}};
}

/// As asked for, else as the release in the tree needs it.
std::string compression_of(const SquashInput& input) {
  if (!input.compression.empty()) {
    return input.compression;
  }
  const ImageRoot root(base::open_directory("root"));
  auto text = root.read("/etc/os-release", largest_configuration);
  if (!text) {
    text = root.read("/usr/lib/os-release", largest_configuration);
  }
  return read_needs(input.conf, parse_os_release(text.value_or(""))).compression;
}

}  // namespace

Json run_chroot_stage(const ChrootInput& input, const std::string& resolver, StageSocket& socket,
                      const StageOutput& output) {
  const Chroot chroot(output, std::holds_alternative<AdjustInput>(input));
  chroot.packages();  // no dpkg, no kernels: said at once
  const SuppliedFile supplied(chroot.root(), "/etc/resolv.conf", resolver, 0644);
  const SuppliedFile services(chroot.root(), "/usr/sbin/policy-rc.d", deny_services, 0755);
  return std::visit(
      Overloaded{[&](const AdjustInput& each) { return adjust(chroot, each); },
                 [&](const PrepareInput& each) { return prepare(chroot, each); },
                 [&](const KernelInput& each) { return pack_kernel(chroot, each, socket); }},
      input);
}

Json pack_merged_tree(const SquashInput& input, const HostFiles& files, const StageOutput& output) {
  base::Command command;
  command.keep_fds = {files.output().fd()};
  command.argv = {"mksquashfs",          "root",         HostFiles::path_of(files.output()),
                  "-noappend",           "-no-progress", "-comp",
                  compression_of(input), "-processors",  std::to_string(input.jobs)};
  output.apply(command);
  base::run_checked(command);
  return Json::object();
}

}  // namespace meph2::image
