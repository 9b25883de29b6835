#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/process/subprocess.h"
#include "tests/support/tar_writer.h"

namespace support {

/// A .deb of these members, byte by byte.
inline std::string ar_archive(const std::vector<std::pair<std::string, std::string>>& members) {
  const auto field = [](std::string text, std::size_t width) {
    text.resize(width, ' ');
    return text;
  };
  std::string out = "!<arch>\n";
  for (const auto& [name, content] : members) {
    out += field(name, 16) + field("0", 12) + field("0", 6) + field("0", 6) + field("100644", 8) +
           field(std::to_string(content.size()), 10) + "`\n" + content;
    if (content.size() % 2 != 0) {
      out += '\n';
    }
  }
  return out;
}

inline std::string xz(const std::string& content) {
  base::Command command;
  command.argv = {"xz", "-c"};
  command.input = content;
  command.capture_output = true;
  return base::run_checked(command).output;
}

/// A Debian package whose data.tar.xz is this tar.
inline std::string debian_package(const std::string& data_tar) {
  return ar_archive({{"debian-binary", "2.0\n"},
                     {"control.tar.xz", xz(TarWriter().file("./control", "x").bytes())},
                     {"data.tar.xz", xz(data_tar)}});
}

}  // namespace support
