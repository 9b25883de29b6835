#include "meph2/installer/image_path.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/strings.h"

namespace meph2::installer {

namespace {

/// The families of paths, the more special one first. {release} is a codename or "hwe", {flavor} a
/// kernel flavor, {board} an image format, {installer} and {arch} say nothing new; the last part is
/// a group of `file_names`. Without {flavor} it is generic, without {board} the default format.
constexpr std::array<std::string_view, 15> families{
    "netboot/{installer}/{arch}/{file}",            // amd64, i386, arm64, ppc64el
    "netboot/{flavor}/{installer}/{arch}/{file}",   // i386 non-pae
    "netboot/{installer}/{arch}/{board}/{u-boot}",  // arm64 xgene-uboot
    "{release}-netboot/{installer}/{arch}/{file}",  // hwe-netboot, trusty-netboot
    "{release}-netboot/{flavor}/{installer}/{arch}/{file}",
    "{release}-netboot/{installer}/{arch}/{board}/{u-boot}",
    "{release}-netboot/{file}",
    "{release}-{flavor}/netboot/{file}",  // armhf hwe-generic, powerpc xenial-e500mc
    "{release}-{flavor}/netboot/{board}/{board-file}",
    "{flavor}/netboot/{file}",                // armhf generic-lpae, powerpc powerpc64
    "{flavor}/netboot/{board}/{board-file}",  // armhf tegra, arm64 xgene
    "netboot/{file}",                         // Debian's armhf
    "{flavor}/{native}",                      // s390x
    "device-tree/{dtb}",                      // arm64
    "{flavor}/device-tree/{dtb}",             // Debian's armel
};

/// What a file may be called, and in which groups: f {file}, u {u-boot}, b {board-file}, n
/// {native}, d {dtb}. {os} is the tree's; a * ends a name as long as it likes.
struct FileName {
  std::string_view name;
  FileKind kind;
  std::string_view groups;
};

constexpr std::array<FileName, 12> file_names{{
    {"linux", FileKind::kernel, "fb"},
    {"vmlinuz", FileKind::kernel, "fb"},
    {"vmlinux", FileKind::kernel, "fb"},
    {"vmlinuz-*", FileKind::kernel, "f"},  // Debian's mipsel and armel
    {"vmlinux-*", FileKind::kernel, "f"},
    {"uImage", FileKind::kernel, "fub"},
    {"kernel.{os}", FileKind::kernel, "n"},
    {"initrd.gz", FileKind::initrd, "fb"},
    {"initrd", FileKind::initrd, "fb"},
    {"uInitrd", FileKind::initrd, "fub"},
    {"initrd.{os}", FileKind::initrd, "n"},
    {"*.dtb", FileKind::dtb, "bd"},
}};

constexpr std::array<std::string_view, 2> installers{"ubuntu-installer", "debian-installer"};

/// They look like flavors and boards, and are other ways to install.
constexpr std::array<std::string_view, 6> other_variants{"gtk",     "xen",         "cdrom",
                                                         "netboot", "netboot-xen", "hd-media"};

/// Device trees whose machine boots another image format than the default one.
struct DtbFormat {
  std::string_view dtb;
  std::string_view format;
};

constexpr std::array<DtbFormat, 1> dtb_formats{{{"apm-mustang.dtb", "xgene"}}};

constexpr std::string_view uboot_suffix = "-uboot";

template <typename Names>
bool is_one_of(std::string_view name, const Names& names) {
  return std::ranges::find(names, name) != names.end();
}

/// It becomes a part of names and paths.
bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char character) {
    return std::isalnum(static_cast<unsigned char>(character)) != 0 ||
           std::string_view("._+-,").find(character) != std::string_view::npos;
  });
}

bool fits(std::string_view name, std::string_view pattern, const ImageTree& tree) {
  if (pattern.ends_with("{os}")) {
    pattern.remove_suffix(std::string_view("{os}").size());
    return name == base::cat(pattern, tree.os);
  }
  if (pattern.ends_with('*')) {
    pattern.remove_suffix(1);
    return name.size() > pattern.size() && name.starts_with(pattern);
  }
  if (pattern.starts_with('*')) {
    pattern.remove_prefix(1);
    return name.size() > pattern.size() && name.ends_with(pattern);
  }
  return name == pattern;
}

/// Matches the parts of one path with those of one family.
class Match {
 public:
  explicit Match(const ImageTree& tree) : tree_(tree) {
    file_.kernel_release = tree.release;
    file_.flavor = "generic";
  }

  bool part(std::string_view pattern, std::string_view text) {
    if (!take_release(pattern, text)) {
      return false;
    }
    if (pattern == "{installer}") {
      return is_one_of(text, installers);
    }
    if (pattern == "{arch}") {
      return !text.empty();
    }
    if (pattern == "{flavor}") {
      file_.flavor = text;
      return is_variant(text);
    }
    if (pattern == "{board}") {
      file_.image_format =
          text.ends_with(uboot_suffix) ? text.substr(0, text.size() - uboot_suffix.size()) : text;
      return is_variant(text);
    }
    return pattern.starts_with('{') ? file(pattern[1], text) : pattern == text;
  }

  ImageFile take(unsigned family) {
    file_.family = family;
    return std::move(file_);
  }

 private:
  /// Takes a leading {release}- off both.
  bool take_release(std::string_view& pattern, std::string_view& text) {
    constexpr std::string_view release = "{release}-";
    if (!pattern.starts_with(release)) {
      return true;
    }
    const auto dash = text.find('-');
    const std::string name(text.substr(0, dash));
    if (dash == std::string_view::npos || (name != "hwe" && !tree_.releases.contains(name))) {
      return false;
    }
    file_.kernel_release = name;
    pattern.remove_prefix(release.size());
    text.remove_prefix(dash + 1);
    return true;
  }

  static bool is_variant(std::string_view text) {
    return is_word(text) && !is_one_of(text, other_variants) && !is_one_of(text, installers);
  }

  bool file(char group, std::string_view text) {
    if (!is_word(text)) {
      return false;
    }
    for (const auto& known : file_names) {
      if (known.groups.find(group) != std::string_view::npos && fits(text, known.name, tree_)) {
        file_.kind = known.kind;
        choose_dtb_format(text);
        return true;
      }
    }
    return false;
  }

  void choose_dtb_format(std::string_view text) {
    for (const auto& entry : dtb_formats) {
      if (text == entry.dtb && file_.image_format == "default") {
        file_.image_format = entry.format;
      }
    }
  }

  const ImageTree& tree_;
  ImageFile file_;
};

}  // namespace

const char* name_of(FileKind kind) {
  static constexpr std::array names = {"kernel", "initrd", "dtb"};
  return names.at(static_cast<std::size_t>(kind));
}

std::optional<ImageFile> classify_image(std::string_view path, const ImageTree& tree) {
  const auto parts = base::split(path, '/');
  for (unsigned i = 0; i < families.size(); ++i) {
    const auto wanted = base::split(families[i], '/');
    Match match(tree);
    if (std::ranges::equal(wanted, parts, [&](const auto& pattern, const auto& text) {
          return match.part(pattern, text);
        })) {
      return match.take(i);
    }
  }
  return std::nullopt;
}

}  // namespace meph2::installer
