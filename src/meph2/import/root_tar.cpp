#include "meph2/import/root_tar.h"

#include <optional>

#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/tree.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "io/tar/archive.h"
#include "meph2/image/root/detect.h"
#include "meph2/image/root/root_squashfs.h"
#include "meph2/image/sandbox/emulation.h"
#include "meph2/image/sandbox/namespaces.h"
#include "meph2/image/stage.h"

namespace meph2::import {

namespace {

using base::Errc;
using base::Error;
using image::Content;
using image::Partition;

constexpr std::uint64_t sector = 512;
constexpr int most_wrappings = 2;
/// $1: mount options, $2: image, $3: mount point, $4: tar. Nothing of a source is ever in this
/// text.
constexpr const char* pack_script =
    "mount -o \"$1\" \"$2\" \"$3\" && exec tar --numeric-owner --xattrs --xattrs-include='*' "
    "--acls "
    "--selinux --one-file-system -C \"$3\" -czf \"$4\" .";

bool has_bytes(const base::File& file, std::uint64_t offset, std::string_view wanted) {
  std::string found(wanted.size(), '\0');
  return file.read_at(found, offset) == found.size() && found == wanted;
}

bool is_xfs(const base::File& file, std::uint64_t offset) {
  return has_bytes(file, offset, "XFSB");
}

bool is_btrfs(const base::File& file, std::uint64_t offset) {
  constexpr std::uint64_t magic = 0x10040;
  return has_bytes(file, offset + magic, "_BHRfS_M");
}

/// The largest partition with a file system that only the kernel reads; nullopt without one.
std::optional<Partition> other_root(const std::string& table, const base::File& disk) {
  const auto json = io::parse_json(table, "sfdisk");
  const auto& described = json.at("partitiontable");
  const auto unit = described.value("sectorsize", sector);
  std::optional<Partition> largest;
  for (const auto& each : described.at("partitions")) {
    const Partition part{each.at("start").get<std::uint64_t>() * unit,
                         each.at("size").get<std::uint64_t>() * unit};
    if ((is_xfs(disk, part.offset) || is_btrfs(disk, part.offset)) &&
        (!largest || part.size > largest->size)) {
      largest = part;
    }
  }
  return largest;
}

Partition root_of(const base::File& disk, const std::string& arch, const std::stop_token& stop) {
  const auto table = image::partition_table(disk.name(), stop);
  const auto other = other_root(table, disk);
  return other ? *other : image::find_root_partition(table, disk, arch);
}

std::string type_of(const base::File& file, std::uint64_t offset) {
  return is_xfs(file, offset) ? "xfs" : is_btrfs(file, offset) ? "btrfs" : "ext4";
}

/// Into the layer, before it is mounted: what the image has under that name is not followed.
void copy_curtin_files(const std::string& from, const std::string& upper) {
  const auto target = upper + "/curtin";
  base::make_directories(target);
  const auto source = base::open_directory(from);
  const auto into = base::open_directory(target);
  base::copy_tree(source.fd(), into.fd(), [](const std::string&) { return false; });
  for (const auto& name : base::list_directory(into.fd())) {
    if (base::is_file_at(into.fd(), name)) {
      base::open_file_at(into.fd(), name, O_RDONLY | O_NOFOLLOW).chmod(0755);
    }
  }
  image::give_to_image(target);
  base::walk_tree(into.fd(), [&target](const std::string& path, const struct stat&) {
    image::give_to_image(base::cat(target, "/", path));
    return true;
  });
}

std::vector<std::string> pack_changed(const image::Layers& source, const std::string& output,
                                      const std::string& room, const std::string& arch,
                                      const RootChanges& changes, const sstream::Context& context) {
  image::make_upper({.base_file = {}, .upper = "changes"}, room);
  if (!changes.curtin_files.empty()) {
    base::with_context("put files into /curtin",
                       [&] { copy_curtin_files(changes.curtin_files, room + "/changes/upper"); });
  }
  image::StageJob job;
  job.layers = source;
  std::vector<std::string> packages;
  if (!changes.packages.empty()) {
    image::require_emulation(arch);
    auto install = job;
    install.label = "packages to add";
    install.layers.upper = "changes";
    install.emulate = arch;
    install.network = true;
    install.input = image::RpmInput{.packages = changes.packages,
                                    .base_mirror = changes.base_mirror,
                                    .epel_mirror = changes.epel_mirror};
    context.log.info(base::cat("installing ", changes.packages.size(), " packages"));
    packages = image::run_stage(install, room, context.stop)
                   .at("packages")
                   .get<std::vector<std::string>>();
  }
  job.label = "root-tgz";
  job.layers.lowers = {"changes/upper"};
  job.input = image::TarInput{output};
  image::run_stage(job, room, context.stop);
  base::open_file(output, O_RDONLY)
      .chmod(0644);  // the sandbox could only write to what anybody may
  return packages;
}

}  // namespace

std::vector<std::string> pack_root(const std::string& image, const std::string& output,
                                   const std::string& room, const std::string& arch,
                                   const RootChanges& changes, const sstream::Context& context) {
  if (::geteuid() != 0) {
    throw Error(Errc::failed, base::cat("convert ", image, ": root is needed, to mount it"));
  }
  auto path = image;
  auto file = base::open_file(path, O_RDONLY);
  auto content = Content::qcow2;
  for (int i = 0; i <= most_wrappings; ++i) {
    content =
        is_xfs(file, 0) || is_btrfs(file, 0) ? Content::file_system : image::detect(file, path);
    if (content == Content::file_system || content == Content::disk) {
      break;
    }
    const auto next = base::cat(room, "/unwrapped-", i);
    if (content == Content::qcow2) {
      image::qcow2_to_raw(file, next, context.stop);
    } else if (content == Content::compressed_image) {
      auto out = base::open_file(next, O_RDWR | O_CREAT | O_EXCL);
      io::decompress(file, out, base::free_bytes(out.fd()), context.stop);
      out.close();
    } else {
      throw Error(Errc::untrusted, base::cat("convert ", image, ": is ",
                                             image::content_name(content), ", no disk image"));
    }
    path = next;
    file = base::open_file(path, O_RDONLY);
  }
  Partition part{0, file.size()};
  if (content == Content::disk) {
    part = root_of(file, arch, context.stop);
  }
  if (changes.any()) {
    const image::Layers source{.base_file = path,
                               .base_type = type_of(file, part.offset),
                               .base_offset = part.offset,
                               .base_size = part.size};
    return pack_changed(source, output, room, arch, changes, context);
  }
  const auto mount_point = room + "/mnt";
  base::make_directory_at(AT_FDCWD, mount_point);
  std::string options =
      base::cat("ro,nodev,nosuid,noexec,loop,offset=", part.offset, ",sizelimit=", part.size);
  if (is_xfs(file, part.offset)) {
    options += ",norecovery,nouuid";  // read-only is meant: nothing is replayed
  }
  base::Command command;
  command.argv = {"unshare",   "--mount",   "--propagation", "private", "--",        "sh",  "-ec",
                  pack_script, "pack-root", options,         path,      mount_point, output};
  command.output_fd = STDERR_FILENO;
  base::with_context(base::cat("convert ", image),
                     [&] { base::run_checked(command, context.stop); });
  return {};
}

}  // namespace meph2::import
