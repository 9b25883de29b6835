#include "base/process/shared_library.h"

#include <dlfcn.h>

#include "base/error.h"
#include "base/strings.h"

namespace base {

SharedLibrary::SharedLibrary(const char* name, const char* purpose)
    : name_(name), handle_(dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) {
    throw Error(Errc::failed, cat(purpose, " needs ", name, ": ", dlerror()));
  }
}

Symbol SharedLibrary::symbol(const char* function) const {
  auto* address = dlsym(handle_, function);
  if (address == nullptr) {
    throw Error(Errc::failed, cat(name_, " cannot be used: ", dlerror()));
  }
  return Symbol(address);
}

}  // namespace base
