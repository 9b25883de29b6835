#include "base/temp_dir.h"

#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "base/strings.h"
#include "base/tree.h"

namespace base {

TempDir::TempDir(const std::string& prefix, std::string parent) {
  if (parent.empty()) {
    const char* variable = std::getenv("TMPDIR");
    parent = variable != nullptr && *variable != '\0' ? variable : "/tmp";
  }
  auto name = cat(parent, "/", prefix, "XXXXXX");
  if (::mkdtemp(name.data()) == nullptr) {
    throw_errno(errno, "make a temporary directory in", parent);
  }
  path_ = std::move(name);
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
