#include "base/fs/temp_dir.h"

#include <cerrno>
#include <cstdlib>

#include <unistd.h>

#include "base/error.h"
#include "base/fs/tree.h"
#include "base/strings.h"

namespace base {

namespace {

std::string temporary_place() {
  const char* variable = std::getenv("TMPDIR");
  return variable != nullptr && *variable != '\0' ? variable : "/tmp";
}

}  // namespace

File unnamed_file(const std::string& name) {
  auto path = temporary_place() + "/unnamed-XXXXXX";
  UniqueFd fd(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd || ::unlink(path.c_str()) != 0) {
    throw_errno(errno, "make a temporary file in", temporary_place());
  }
  return {std::move(fd), name};
}

TempDir::TempDir(const std::string& prefix, std::string parent) {
  if (parent.empty()) {
    parent = temporary_place();
  }
  auto name = cat(parent, "/", prefix, "XXXXXX");
  if (::mkdtemp(name.data()) == nullptr) {
    throw_errno(errno, "make a temporary directory in", parent);
  }
  path_ = std::move(name);
}

void TempDir::rename(const std::string& path) {
  rename_at(AT_FDCWD, path_, AT_FDCWD, path);
  path_ = path;
}

TempDir::~TempDir() {
  if (!path_.empty()) {
    try {
      remove_tree(path_);
    } catch (const std::exception&) {  // best effort, as promised
      path_.clear();
    }
  }
}

}  // namespace base
