#include "base/fs/identity.h"

#include <array>
#include <cstdlib>

#include <pwd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/strings.h"

namespace base {

std::string command_line() {
  constexpr std::size_t longest = 4096;
  try {
    auto file = open_file("/proc/self/cmdline", O_RDONLY);
    std::string words(longest, '\0');
    words.resize(file.read(words));
    return redact_urls(trim(replace_all(std::move(words), std::string(1, '\0'), " ")));
  } catch (const Error&) {
    return "?";
  }
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "?";
}

std::string user_at_host() {
  const auto* entry = ::getpwuid(::geteuid());  // NOLINT(concurrency-mt-unsafe): called by one
  std::string user = entry != nullptr ? entry->pw_name : cat("uid ", ::geteuid());
  const char* invoker = std::getenv("SUDO_USER");  // NOLINT(concurrency-mt-unsafe)
  if (invoker != nullptr && *invoker != '\0' && ::geteuid() == 0) {
    user = cat(invoker, " (as ", user, ")");
  }
  return cat(user, "@", host_name());
}

}  // namespace base
