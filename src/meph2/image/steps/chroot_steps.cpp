#include "meph2/image/steps/chroot_steps.h"

#include <cstdlib>

#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/path.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "meph2/image/sandbox/sandbox.h"
#include "meph2/image/steps/adjust.h"
#include "meph2/image/steps/chroot.h"
#include "meph2/image/steps/kernel_files.h"
#include "meph2/image/steps/needs.h"
#include "meph2/image/steps/packages_used.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;
using io::Json;
using Strings = std::vector<std::string>;

constexpr const char* deny_services =
    "#!/bin/sh\n# No service is started while an image is built.\nexit 101\n";

/// Kernel packages' hooks make initrds and boot loader menus: in a scratch layer nobody wants them.
void empty_kernel_hooks() {
  for (const auto* name : {"postinst.d", "postrm.d", "preinst.d", "prerm.d"}) {
    base::remove_tree(base::cat("/etc/kernel/", name));
    base::make_directories(base::cat("/etc/kernel/", name));
  }
}

/// Adds the modules that the image's own configuration does not name yet.
void add_modules(const Strings& modules) {
  const std::string path = "/etc/initramfs-tools/modules";
  if (modules.empty() || !base::exists_at(AT_FDCWD, "/etc/initramfs-tools")) {
    return;
  }
  auto text = base::exists_at(AT_FDCWD, path) ? base::read_file(path) : std::string();
  if (!text.empty() && text.back() != '\n') {
    text += '\n';
  }
  for (const auto& module : modules) {
    text += module + "\n";
  }
  auto file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  file.write(text);
  file.close();
}

void write_files(const std::map<std::string, std::string>& files) {
  for (const auto& [path, content] : files) {
    base::make_directories(base::parent_of(path));
    const bool program =
        path.find("/hooks/") != std::string::npos || path.find("/scripts/") != std::string::npos;
    auto file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    file.write(content);
    file.chmod(program ? 0755 : 0644);
    file.close();
  }
}

/// The generator that the image has decides; the one of the release is installed where it has none.
Strings initrd_packages(const Chroot& chroot, const InitrdNeeds& needs) {
  if (!base::find_program("mkinitramfs") && base::find_program("dracut")) {
    return needs.dracut_packages;
  }
  auto packages = needs.initrd_packages;
  if (!base::find_program("mkinitramfs")) {
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
    base::unlink_at(AT_FDCWD, path);
  }
  divert_programs(chroot, input.needs.divert);
  enable_proposed(input.proposed);
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
  empty_kernel_hooks();
  add_modules(input.needs.modules);
  write_files(input.needs.files);
  for (const auto& kernel : input.kernels) {
    base::with_context(base::cat("kernel ", kernel), [&] {
      chroot.apt_get({"--no-install-recommends", "--download-only", "install", kernel});
    });
  }
  return {{"archives", archives_in_use(chroot)},
          {"packages", versions_of(packages, Chroot::packages())}};
}

/// Those that the kernel has: dracut installs none of its list where one is missing.
Strings known_modules(const std::string& version, const Strings& names) {
  const auto directory = base::cat("/lib/modules/", version);
  std::string all;
  for (const auto* file : {"modules.dep", "modules.builtin"}) {
    const auto path = base::cat(directory, "/", file);
    if (base::exists_at(AT_FDCWD, path)) {
      all += base::replace_all(base::read_file(path), "-", "_");
    }
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
void date_initrd(const std::string& kernel) {
  const auto date = base::open_file(kernel, O_RDONLY).status().st_mtime;
  ::setenv("SOURCE_DATE_EPOCH", std::to_string(date).c_str(), 0);
}

void make_initrd(const Chroot& chroot, const InitrdNeeds& needs, const std::string& version) {
  const std::string initrd = "/boot/meph2-initrd";
  if (!base::exists_at(AT_FDCWD, base::cat("/lib/modules/", version, "/modules.dep"))) {
    chroot.run_checked({"depmod", "-a", version});
  }
  if (base::find_program("mkinitramfs")) {
    chroot.run_checked({"mkinitramfs", "-o", initrd, version});
  } else {
    Strings argv = {"dracut",         "--force", "--no-hostonly", "--no-hostonly-cmdline",
                    "--reproducible", "--kver",  version};
    for (const auto& name : needs.dracut_modules) {
      argv.insert(argv.end(), {"--add", name});
    }
    for (const auto& name : known_modules(version, needs.dracut_drivers)) {
      argv.insert(argv.end(), {"--add-drivers", name});
    }
    argv.push_back(initrd);
    chroot.run_checked(argv);
  }
  if (!base::exists_at(AT_FDCWD, initrd)) {
    throw Error(Errc::failed, base::cat("initrd for ", version, ": none was made"));
  }
}

void hand_over(const std::string& path, int out, const std::string& name) {
  auto from = base::open_file(path, O_RDONLY);
  auto to = base::open_file_at(out, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
  std::string buffer(1U << 20U, '\0');
  while (const auto count = from.read(buffer)) {
    to.write(std::string_view(buffer).substr(0, count));
  }
  to.chmod(0644);
  to.close();
}

Json pack_kernel(const Chroot& chroot, const KernelInput& input, int out) {
  chroot.apt_get({"--no-install-recommends", "--no-download", "install", input.package});
  const auto kernel = find_kernel(input.package);
  date_initrd(kernel.path);
  make_initrd(chroot, input.needs, kernel.version);
  hand_over(kernel.path, out, "kernel");
  hand_over("/boot/meph2-initrd", out, "initrd");
  std::size_t number = 0;
  for (const auto& name : input.dtbs) {
    hand_over(find_device_tree(kernel.version, name), out, base::cat("dtb-", number++));
  }
  return {{"version", kernel.version},
          {"package", kernel.package},
          {"packages", versions_of({input.package}, Chroot::packages())},
          {"file", kernel.path}};
}

/// As asked for, else as the release in the tree needs it.
std::string compression_of(const SquashInput& input) {
  if (!input.compression.empty()) {
    return input.compression;
  }
  std::string text;
  for (const auto* path : {"root/etc/os-release", "root/usr/lib/os-release"}) {
    if (text.empty() && ::access(path, R_OK) == 0) {
      text = base::read_file(path, 1U << 20U);
    }
  }
  return read_needs(input.conf, parse_os_release(text)).compression;
}

}  // namespace

std::string read_resolver() {
  const std::string path = "/etc/resolv.conf";
  return base::exists_at(AT_FDCWD, path) ? base::read_file(path, 1U << 20U) : std::string();
}

Json run_chroot_stage(const ChrootInput& input, const std::string& resolver, int out,
                      const StageOutput& output) {
  const Chroot chroot(output, std::holds_alternative<AdjustInput>(input));
  Chroot::packages();  // no dpkg, no kernels: said at once
  const SuppliedFile supplied("/etc/resolv.conf", resolver, 0644);
  const SuppliedFile services("/usr/sbin/policy-rc.d", deny_services, 0755);
  return std::visit(
      Overloaded{[&](const AdjustInput& each) { return adjust(chroot, each); },
                 [&](const PrepareInput& each) { return prepare(chroot, each); },
                 [&](const KernelInput& each) { return pack_kernel(chroot, each, out); }},
      input);
}

Json pack_merged_tree(const SquashInput& input, const StageOutput& output) {
  base::Command command;
  command.argv = {"mksquashfs",          "root",         input.output,
                  "-noappend",           "-no-progress", "-comp",
                  compression_of(input), "-processors",  std::to_string(input.jobs)};
  output.apply(command);
  base::run_checked(command);
  return Json::object();
}

}  // namespace meph2::image
