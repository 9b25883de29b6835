#include "meph2/import/pick_files.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/path.h"
#include "base/strings.h"

namespace meph2::import {

bool matches(std::string_view pattern, std::string_view path) {
  // One place to go back to is enough: the last `*` is the only one that may have to take more.
  std::size_t p = 0;
  std::size_t t = 0;
  auto star = std::string_view::npos;
  std::size_t taken = 0;
  while (t < path.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() &&
               (pattern[p] == path[t] || (pattern[p] == '?' && path[t] != '/'))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos && path[taken] != '/') {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool wants(const Bootloader& loader, const std::string& path) {
  if (!loader.grub_format.empty()) {
    return path.starts_with(loader.files.front().pattern + "/");
  }
  return std::ranges::any_of(loader.files,
                             [&](const FilePattern& file) { return matches(file.pattern, path); });
}

std::map<std::string, std::string> pick_files(const Bootloader& loader,
                                              const std::map<std::string, std::string>& files,
                                              std::vector<std::size_t>& hits) {
  std::map<std::string, std::string> out;
  hits.resize(loader.files.size());
  for (std::size_t i = 0; i < loader.files.size(); ++i) {
    const auto& file = loader.files[i];
    for (const auto& [path, content] : files) {
      if (!matches(file.pattern, path)) {
        continue;
      }
      ++hits[i];
      const auto name = file.name.empty() ? base::base_name(path) : file.name;
      const auto [there, added] = out.emplace(name, content);
      if (!added && there->second != content) {
        throw base::Error(base::Errc::failed,
                          base::cat(loader.where, ": two files would be called ", name));
      }
    }
  }
  return out;
}

}  // namespace meph2::import
