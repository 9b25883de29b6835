#pragma once

#include <string>
#include <vector>

#include <unistd.h>

#include "base/fs/file.h"
#include "base/process/subprocess.h"

/// Makes things with the real tools.
namespace image_test {

inline std::string run(const std::vector<std::string>& argv, const std::string& directory = {}) {
  base::Command command;
  command.argv = argv;
  command.directory = directory;
  command.capture_output = true;
  command.capture_error = true;
  return base::run_checked(command).output;
}

inline void write_file(const std::string& path, const std::string& bytes) {
  auto file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  file.write(bytes);
  file.close();
}

inline bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace image_test
