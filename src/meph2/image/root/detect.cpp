#include "meph2/image/root/detect.h"

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/strings.h"
#include "io/tar/archive.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;
using namespace std::string_view_literals;

constexpr std::size_t head_size = 8192;
constexpr std::size_t sector = 512;

bool has(std::string_view head, std::size_t offset, std::string_view magic) {
  return head.size() >= offset + magic.size() && head.substr(offset, magic.size()) == magic;
}

bool is_compressed(std::string_view head) {
  return has(head, 0, "\x1f\x8b"sv) ||
         has(head, 0,
             "\xfd"
             "7zXZ\0"sv) ||
         has(head, 0, "\x28\xb5\x2f\xfd"sv) || has(head, 0, "BZh"sv) || has(head, 0, "\x5d\0\0"sv);
}

/// What the bytes say where they are not compressed.
std::optional<Content> plain_content(std::string_view head) {
  if (has(head, 0, "hsqs"sv)) {
    return Content::squashfs;
  }
  if (has(head, 0, "QFI\xfb"sv)) {
    return Content::qcow2;
  }
  if (has(head, 257, "ustar"sv)) {
    return Content::root_tar;
  }
  if (has(head, 0x438, "\x53\xef"sv)) {
    return Content::file_system;
  }
  if (has(head, sector, "EFI PART"sv) || has(head, 4096, "EFI PART"sv) ||
      has(head, 510, "\x55\xaa"sv)) {
    return Content::disk;
  }
  return std::nullopt;
}

bool named_like_tar(const std::string& name) {
  for (const auto* suffix :
       {".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tar.zst"}) {
    if (name.ends_with(suffix)) {
      return true;
    }
  }
  return false;
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) {
    value = value << 8U | static_cast<unsigned char>(byte);
  }
  return value;
}

/// What a file of each format may be; nothing: anything.
const std::map<std::string, std::set<Content>>& contents_by_format() {
  static const std::map<std::string, std::set<Content>> table{
      {"auto", {}},
      {"img-tar", {Content::image_tar}},
      {"root-image", {Content::file_system, Content::disk, Content::qcow2}},
      {"root-image-gz", {Content::compressed_image}},
      {"root-tar", {Content::root_tar}},
      {"squashfs-image", {Content::squashfs}},
  };
  return table;
}

[[noreturn]] void refuse(const base::File& file, std::string_view reason) {
  throw Error(Errc::untrusted, base::cat("read ", file.name(), ": ", reason));
}

}  // namespace

const char* content_name(Content content) {
  static constexpr std::array names = {
      "a tar of a root file system", "a tar of a disk image",         "a squashfs",
      "an ext file system",          "a disk with a partition table", "a qcow2 image",
      "a compressed image"};
  return names.at(static_cast<std::size_t>(content));
}

Content detect(base::File& file, const std::string& name) {
  std::array<char, head_size> buffer{};
  const std::string_view raw(buffer.data(), file.read_at(buffer, 0));
  if (raw.empty()) {
    refuse(file, "empty file");
  }
  std::string unpacked;
  const bool compressed = is_compressed(raw);
  if (compressed) {
    unpacked = io::decompressed_head(file, head_size);
  }
  auto content = plain_content(compressed ? std::string_view(unpacked) : raw);
  if (!content && named_like_tar(name)) {
    content = Content::root_tar;
  }
  if (!content) {
    refuse(file, "neither a tar, a squashfs, an ext file system, a qcow2 nor a disk image");
  }
  if (*content == Content::root_tar) {
    return io::disk_image_in_tar(file) ? Content::image_tar : Content::root_tar;
  }
  return compressed ? Content::compressed_image : *content;
}

const std::vector<std::string>& image_formats() {
  static const auto names = [] {
    std::vector<std::string> out;
    for (const auto& [format, contents] : contents_by_format()) {
      out.push_back(format);
    }
    return out;
  }();
  return names;
}

bool format_admits(const std::string& format, Content content) {
  const auto found = contents_by_format().find(format);
  return found == contents_by_format().end() || found->second.empty() ||
         found->second.contains(content);
}

void require_standalone_qcow2(base::File& file) {
  std::array<char, 104> buffer{};
  const std::string_view head(buffer.data(), file.read_at(buffer, 0));
  if (head.size() < 72 || !has(head, 0, "QFI\xfb"sv)) {
    refuse(file, "truncated qcow2 header");
  }
  const auto version = big_endian(head.substr(4, 4));
  if (version != 2 && version != 3) {
    refuse(file, base::cat("qcow2 of unknown version ", version));
  }
  if (big_endian(head.substr(8, 8)) != 0 || big_endian(head.substr(16, 4)) != 0) {
    refuse(file, "qcow2 with a backing file, which is not followed: convert it to one file first");
  }
  if (big_endian(head.substr(32, 4)) != 0) {
    refuse(file, "encrypted qcow2");
  }
  constexpr std::uint64_t external_data = 4;
  if (version == 3 && head.size() >= 80 && (big_endian(head.substr(72, 8)) & external_data) != 0) {
    refuse(file,
           "qcow2 with an external data file, which is not followed: convert it to one file first");
  }
}

}  // namespace meph2::image
