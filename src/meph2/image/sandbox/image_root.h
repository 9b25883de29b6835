#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fs/file.h"

namespace meph2::image {

/// The files of an image by their paths in it ("/etc/os-release"), for us who have rights that the
/// image must not borrow. Links are followed as the image itself would, and never out of it: not
/// through "..", not by an absolute target, not through /proc or another mount. What is read is a
/// regular file of bounded size, opened without waiting for anybody; what is written replaces the
/// name it is given, link or not. Whatever else is in the way is Error(untrusted) naming the path.
class ImageRoot {
 public:
  /// Of the directory that is the image's root.
  explicit ImageRoot(base::File directory) : directory_(std::move(directory)) {}

  /// Whether there is something, links followed.
  bool exists(const std::string& path) const;

  /// Whether a regular file is there; a link to one is none.
  bool is_file(const std::string& path) const;

  /// What a link says that it is one to; nothing where the last component is none.
  std::optional<std::string> link_target(const std::string& path) const;

  /// A regular file of at most `limit` bytes, to be read.
  base::File open(const std::string& path, std::uint64_t limit) const;

  /// Its text; nothing where there is no such file.
  std::optional<std::string> read(const std::string& path, std::uint64_t limit) const;

  /// A file of this content, its directories made. Error where `path` is a directory.
  void write(const std::string& path, const std::string& text, mode_t mode) const;

  /// Another content for a regular file, in place: owner, mode and labels stay.
  void rewrite(const std::string& path, const std::string& text) const;

  /// The names in a directory, sorted; none where there is no directory.
  std::vector<std::string> list(const std::string& path) const;

  void make_directories(const std::string& path) const;

  /// Removes a file or a link; false if there was none.
  bool remove(const std::string& path) const;

  /// Removes what is of that name and all below it, following no link there.
  void remove_tree(const std::string& path) const;

  void make_symlink(const std::string& target, const std::string& path) const;

  /// An existing directory.
  base::File open_directory(const std::string& path) const;

 private:
  base::UniqueFd try_open(const std::string& path, int flags) const;
  base::File open_regular(const std::string& path, int flags) const;

  base::File directory_;
};

}  // namespace meph2::image
