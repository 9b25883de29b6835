#pragma once

#include <string>

#include "base/fs/file.h"

namespace meph2::image {

/// Files of ours that a program of ours works on in a sandbox. They are opened while we may, and
/// named by their descriptors then: the directories that they are in stay shut.
class HostFiles {
 public:
  HostFiles() = default;

  /// A new file that is to be written. Its mode lets anybody who can reach it write to it: nobody.
  static HostFiles to_write(const std::string& path);

  /// A program, and a directory in which it may do what it likes.
  static HostFiles of_helper(const std::string& program, const std::string& place);

  const base::File& output() const { return output_; }

  const base::File& program() const { return program_; }

  const base::File& place() const { return place_; }

  /// What opens the same file again, for a program that keeps the descriptor.
  static std::string path_of(const base::File& file);

 private:
  base::File output_;
  base::File program_;
  base::File place_;
};

/// The host's /etc/resolv.conf, to be read before the host's root goes away.
std::string read_resolver();

}  // namespace meph2::image
