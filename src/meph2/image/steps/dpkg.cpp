#include "meph2/image/steps/dpkg.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/strings.h"
#include "meph2/apt/deb822.h"

namespace meph2::image {

namespace {

/// "libc6 (>= 2.34), foo:any | bar" -> libc6 foo bar
void add_names(std::vector<std::string>& into, std::string_view field) {
  for (const auto& clause : base::split_list(field, ',')) {
    for (const auto& alternative : base::split_list(clause, '|')) {
      into.push_back(alternative.substr(0, alternative.find_first_of(" (:")));
    }
  }
}

/// What dpkg would take from a package: lib/dpkg/parsehelp.c, pkg_name_is_illegal() and
/// parseversion(). Anything else in a manifest would be read as something that it is not.
bool is_word(std::string_view text, std::string_view marks) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return text.find_first_not_of(base::cat(plain, marks)) == text.npos;
}

void check_words(const Package& package, const std::string& where) {
  const bool named = is_word(package.name, "-+._") && is_word(package.name.substr(0, 1), "");
  if (!named || !is_word(package.version, ".-+~:") || !is_word(package.architecture, "-")) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(where, ": ", base::escape_control(package.name), " ",
                                base::escape_control(package.version), " ",
                                base::escape_control(package.architecture),
                                ": not a package, version and architecture that dpkg would take"));
  }
}

Package package_of(const apt::Paragraph& paragraph) {
  Package package;
  package.name = paragraph.value("Package");
  package.version = paragraph.value("Version");
  package.architecture = paragraph.value("Architecture");
  package.same = paragraph.value("Multi-Arch") == "same";
  const auto status = paragraph.value("Status");
  package.installed = status.ends_with(" installed");
  package.known = paragraph.has("Status") && !status.ends_with(" not-installed");
  add_names(package.depends, paragraph.value("Pre-Depends"));
  add_names(package.depends, paragraph.value("Depends"));
  return package;
}

}  // namespace

std::vector<Package> parse_dpkg_status(std::string_view text, const std::string& name) {
  std::vector<Package> out;
  apt::for_each_paragraph(text, name, [&](const apt::Paragraph& paragraph) {
    if (auto package = package_of(paragraph); !package.name.empty()) {
      check_words(package, base::cat(name, ":", paragraph.line()));
      out.push_back(std::move(package));
    }
  });
  return out;
}

const Package* find_package(const std::vector<Package>& packages, const std::string& name) {
  const auto found = std::ranges::find(packages, name, &Package::name);
  return found == packages.end() ? nullptr : &*found;
}

std::string manifest_text(const std::vector<Package>& packages) {
  const auto* dpkg = find_package(packages, "dpkg");
  const std::string native = dpkg == nullptr ? "" : dpkg->architecture;
  std::vector<std::tuple<std::string, std::string, std::string>> lines;
  for (const auto& package : packages) {
    if (!package.known) {
      continue;
    }
    const bool qualified =
        package.same || (package.architecture != native && package.architecture != "all" &&
                         !package.architecture.empty());
    lines.emplace_back(package.name, package.architecture,
                       base::cat(package.name, qualified ? ":" : "",
                                 qualified ? package.architecture : "", "\t", package.version));
  }
  std::ranges::sort(lines);
  std::string out;
  for (const auto& line : lines) {
    out += std::get<2>(line);
    out += '\n';
  }
  return out;
}

std::vector<std::string> dependency_closure(const std::vector<Package>& packages,
                                            const std::string& root) {
  std::map<std::string, const Package*> by_name;
  for (const auto& package : packages) {
    if (package.installed) {
      by_name.emplace(package.name, &package);
    }
  }
  std::vector<std::string> out;
  std::set<std::string> seen;
  const auto add = [&](const std::string& name) {
    if (by_name.contains(name) && seen.insert(name).second) {
      out.push_back(name);
    }
  };
  add(root);
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (const auto& needed : by_name.at(out[i])->depends) {
      add(needed);
    }
  }
  return out;
}

std::vector<KernelFile> kernel_files(const std::string& package,
                                     const std::vector<std::string>& paths) {
  static constexpr std::array prefixes = {"/boot/vmlinuz-", "/boot/vmlinux-", "/boot/kernel-",
                                          "/boot/Image-"};
  static constexpr std::string_view modules = "/modules/";
  std::vector<KernelFile> out;
  for (const auto& path : paths) {
    for (const auto* prefix : prefixes) {
      if (path.starts_with(prefix)) {
        out.push_back({package, path, path.substr(std::string_view(prefix).size())});
      }
    }
    // Newer packages keep the file with its modules: /usr/lib/modules/VERSION/vmlinuz.
    const auto at = path.find(modules);
    if (at != std::string::npos && (path.ends_with("/vmlinuz") || path.ends_with("/vmlinux"))) {
      const auto version = path.substr(at + modules.size(), path.rfind('/') - at - modules.size());
      if (version.find('/') == std::string::npos && path.find("/lib/modules/") == at - 4) {
        out.push_back({package, path, version});
      }
    }
  }
  return out;
}

}  // namespace meph2::image
