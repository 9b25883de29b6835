#include "meph2/image/steps/rpm_steps.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "meph2/image/sandbox/namespaces.h"
#include "meph2/image/sandbox/sandbox.h"
#include "meph2/image/steps/chroot.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;
using io::Json;

constexpr const char* repositories = "/etc/yum.repos.d";
constexpr const char* resolver_file = "/etc/resolv.conf";
constexpr std::uint64_t largest_repository = 1U << 20U;

/// Repositories' files as they were, to be put back.
class Mirrors {
 public:
  Mirrors(const ImageRoot& root, std::string base, std::string epel)
      : root_(root), base_(std::move(base)), epel_(std::move(epel)) {}

  /// Again after each package: it may have brought a repository.
  void apply() {
    if (base_.empty() && epel_.empty()) {
      return;
    }
    for (const auto& name : root_.list(repositories)) {
      const auto path = base::cat(repositories, "/", name);
      if (!name.ends_with(".repo") || !root_.is_file(path)) {
        continue;
      }
      const auto text = root_.read(path, largest_repository).value_or("");
      auto changed = with_mirrors(text, base_, epel_);
      if (changed != text) {
        root_.rewrite(path, changed);
        changed_[path] = {text, std::move(changed)};
      }
    }
  }

  /// But for those that a package has replaced since.
  void restore() {
    for (const auto& [path, texts] : changed_) {
      if (root_.is_file(path) && root_.read(path, largest_repository) == texts.second) {
        root_.rewrite(path, texts.first);
      }
    }
  }

 private:
  const ImageRoot& root_;
  std::string base_;
  std::string epel_;
  std::map<std::string, std::pair<std::string, std::string>> changed_;
};

std::string installer(const Chroot& chroot) {
  for (const auto* name : {"dnf", "yum"}) {
    if (chroot.has_program(name)) {
      return name;
    }
  }
  throw Error(Errc::untrusted, "the image has neither dnf nor yum: no packages can be put into it");
}

void install_each(const Chroot& chroot, const RpmInput& input) {
  const auto program = installer(chroot);
  Mirrors mirrors(chroot.root(), input.base_mirror, input.epel_mirror);
  mirrors.apply();
  for (const auto& package : input.packages) {
    base::with_context(base::cat("package ", package), [&] {
      chroot.run_checked({program, "-y", "install", package});
    });
    mirrors.apply();
  }
  mirrors.restore();
  chroot.run_checked({program, "clean", "all"});
}

/// The line's `baseurl=` with the mirror in the place of the project's server, commented out or
/// not; nothing where it names another server.
std::optional<std::string> mirrored(std::string_view line, const std::string& base_mirror,
                                    const std::string& epel_mirror) {
  if (line.starts_with('#')) {
    line.remove_prefix(1);
  }
  constexpr std::string_view key = "baseurl=";
  if (!line.starts_with(key)) {
    return std::nullopt;
  }
  const auto url = line.substr(key.size());
  for (const auto* scheme : {"http://", "https://"}) {
    for (const auto& [server, mirror] :
         {std::pair<std::string_view, std::string_view>{"mirror.centos.org", base_mirror},
          {"download.fedoraproject.org/pub/epel", epel_mirror},
          {"download.example/pub/epel", epel_mirror}}) {
      const auto from = base::cat(scheme, server, "/");
      if (!mirror.empty() && url.starts_with(from)) {
        return base::cat(key, mirror, "/", url.substr(from.size()));
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::string with_mirrors(const std::string& repository, const std::string& base_mirror,
                         const std::string& epel_mirror) {
  auto lines = base::split(repository, '\n');
  bool any = false;
  for (auto& line : lines) {
    if (auto changed = mirrored(line, base_mirror, epel_mirror)) {
      any = true;
      line = std::move(*changed);
    }
  }
  if (!any) {
    return repository;
  }
  for (auto& line : lines) {
    if (line.starts_with("mirrorlist=") || line.starts_with("metalink=")) {
      line.insert(0, "#");
    }
  }
  return base::join(lines, "\n");
}

Json install_rpms(const RpmInput& input, const std::string& resolver, const StageOutput& output) {
  const Chroot chroot(output, true);
  {
    const SuppliedFile supplied(chroot.root(), resolver_file, resolver, 0644);
    install_each(chroot, input);
  }
  if (chroot.root().is_file(resolver_file)) {
    chroot.root().rewrite(resolver_file,
                          "");  // images come with that of the network they were made in
  }
  end_other_processes();
  auto lines = base::split_list(
      chroot.answer_of({"rpm", "-qa", "--qf", "%{NAME}\\t%{VERSION}-%{RELEASE}\\n"}), '\n');
  std::ranges::sort(lines);
  return {{"packages", lines}};
}

Json tar_merged_tree(const HostFiles& files, const StageOutput& output) {
  base::Command command;
  command.argv = {"tar",
                  "--numeric-owner",
                  "--xattrs",
                  "--xattrs-include=*",
                  "--acls",
                  "--selinux",
                  "--one-file-system",
                  "-C",
                  "root",
                  "-czf",
                  HostFiles::path_of(files.output()),
                  "."};
  command.keep_fds = {files.output().fd()};
  output.apply(command);
  base::run_checked(command);
  return Json::object();
}

}  // namespace meph2::image
