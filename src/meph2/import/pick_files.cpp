#include "meph2/import/pick_files.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/path.h"
#include "base/fs/temp_dir.h"
#include "base/process/subprocess.h"
#include "base/strings.h"

namespace meph2::import {

namespace {

constexpr std::uint64_t largest_image = 64ULL << 20U;
constexpr const char* program = "grub-mkimage";
/// Where grub looks for the rest of itself, on the server that it came from.
constexpr const char* prefix = "/grub";

void write(const std::string& path, std::string_view content) {
  auto file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  file.write(content);
  file.close();
}

}  // namespace

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

std::string make_grub_image(const Bootloader& loader,
                            const std::map<std::string, std::string>& files,
                            const std::stop_token& stop) {
  if (!base::find_program(program)) {
    throw base::Error(base::Errc::not_found,
                      base::cat("make ", loader.grub_output, ": there is no ", program,
                                " here; it is in the package grub-common"));
  }
  const base::TempDir room("meph2-grub-");
  const auto modules = room.path() + "/modules";
  base::make_directory_at(AT_FDCWD, modules);
  std::vector<std::string> names;
  for (const auto& [path, content] : files) {
    const auto name = base::base_name(path);
    if (path != base::cat(loader.files.front().pattern, "/", name)) {
      continue;  // in a directory further below
    }
    write(base::cat(modules, "/", name), content);
    if (name.ends_with(".mod")) {
      names.push_back(name.substr(0, name.size() - std::string_view(".mod").size()));
    }
  }
  base::Command command;
  command.argv = {program, "-o",  room.path() + "/image", "-O", loader.grub_format, "-d", modules,
                  "-p",    prefix};
  if (!loader.grub_config.empty()) {
    const auto config = room.path() + "/grub.cfg";
    write(config, loader.grub_config);
    command.argv.insert(command.argv.end(), {"-c", config});
  }
  const auto& wanted = loader.grub_modules.empty() ? names : loader.grub_modules;
  command.argv.insert(command.argv.end(), wanted.begin(), wanted.end());
  command.capture_output = true;
  command.capture_error = true;
  base::run_checked(command, stop);
  return base::read_file(room.path() + "/image", largest_image);
}

}  // namespace meph2::import
