#include <cstdlib>
#include <filesystem>

#include "base/strings.h"
#include "meph2/config/stream_config.h"

namespace meph2 {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string shipped_config(const std::string& name) {
  if (const auto directory = environment("MEPH2_CONF_DIR"); !directory.empty()) {
    return base::cat(directory, "/", name);
  }
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const auto bin = program.parent_path();
  const auto installed = bin.parent_path() / "share" / "meph2" / "conf" / name;
  // SOURCE/build/PRESET/bin/PROGRAM
  const auto source = bin.parent_path().parent_path().parent_path() / "conf" / name;
  return std::filesystem::exists(source, ignored) ? source.string() : installed.string();
}

std::string default_config_path() {
  const auto path = environment("MEPH2_CONFIG_YAML");
  return path.empty() ? shipped_config("meph-v2.yaml") : path;
}

}  // namespace meph2
