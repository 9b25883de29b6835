#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace meph2::installer {

enum class FileKind : std::uint8_t { kernel, initrd, dtb };

/// "kernel", "initrd", "dtb".
const char* name_of(FileKind kind);

/// What the path of a file below images/ says of it (docs/format.md 4.8).
struct ImageFile {
  FileKind kind = FileKind::kernel;
  std::string kernel_release;  ///< a codename, or "hwe": the release that the kernel is from
  std::string flavor;          ///< "generic", "generic-lpae", "powerpc64"
  std::string image_format = "default";  ///< else the board that it is packed for: "xgene"
  unsigned family = 0;                   ///< row of the table, for messages and ties: lower wins

  bool operator==(const ImageFile&) const = default;
};

/// Whose tree it is.
struct ImageTree {
  std::string os = "ubuntu";       ///< the suffix of s390x's kernel and initrd
  std::string release;             ///< whose installer it is: the kernel release of plain names
  std::set<std::string> releases;  ///< codenames that may stand in front of a directory's name
};

/// nullopt for what boots no machine over the network: CD and disk images, graphical and Xen
/// variants, boot loaders, lists.
std::optional<ImageFile> classify_image(std::string_view path, const ImageTree& tree);

}  // namespace meph2::installer
