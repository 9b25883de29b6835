#include "meph2/image/steps/kihelper.h"

#include <filesystem>
#include <vector>

#include <unistd.h>

#include "base/error.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "io/json/json.h"

namespace meph2::image {

namespace {

bool is_program(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string find_kihelper(const std::string& name) {
  std::error_code ignored;
  std::vector<std::filesystem::path> places;
  if (name.find('/') != std::string::npos) {
    places.emplace_back(name);
  } else {
    places.emplace_back(base::find_program(name).value_or(""));
    const auto bin = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    places.push_back(bin / name);
    // SOURCE/build/PRESET/bin/PROGRAM
    places.push_back(bin.parent_path().parent_path().parent_path() / "bin" / name);
  }
  for (const auto& place : places) {
    if (is_program(place)) {
      return std::filesystem::absolute(place).string();
    }
  }
  throw base::Error(base::Errc::usage,
                    base::cat("--krd-pack: --kihelper=", name,
                              ": no such program, neither in PATH nor beside this one"));
}

io::Json run_kihelper(const KihelperInput& input, const HostFiles& files,
                      const StageOutput& output) {
  const auto place = HostFiles::path_of(files.place());
  base::Command helper;
  helper.argv = {HostFiles::path_of(files.program()), place + "/kernel", place + "/initrd"};
  helper.keep_fds = {files.program().fd(), files.place().fd()};
  helper.env = {{"ROOT", std::filesystem::absolute("root").string()},
                {"VERSION_FLAVOR", input.version}};
  output.apply(helper);
  base::run_checked(helper);
  return io::Json::object();
}

}  // namespace meph2::image
