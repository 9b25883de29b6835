#include "meph2/image/steps/host_files.h"

#include "base/strings.h"

namespace meph2::image {

HostFiles HostFiles::to_write(const std::string& path) {
  HostFiles files;
  files.output_ = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  files.output_.chmod(0666);
  return files;
}

HostFiles HostFiles::of_helper(const std::string& program, const std::string& place) {
  HostFiles files;
  files.program_ = base::open_file(program, O_RDONLY);
  files.place_ = base::open_directory(place);
  return files;
}

std::string read_resolver() {
  const std::string path = "/etc/resolv.conf";
  return base::exists_at(AT_FDCWD, path) ? base::read_file(path, 1U << 20U) : std::string();
}

std::string HostFiles::path_of(const base::File& file) {
  return base::cat("/proc/self/fd/", file.fd());
}

}  // namespace meph2::image
