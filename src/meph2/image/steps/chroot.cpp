#include "meph2/image/steps/chroot.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/strings.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

constexpr std::uint64_t largest_status = 256ULL << 20U;
constexpr std::uint64_t largest_file = 32ULL << 30U;
constexpr const char* status_file = "/var/lib/dpkg/status";
constexpr const char* program_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

}  // namespace

Chroot::Chroot(const StageOutput& output, bool make_initrds)
    : root_(base::open_directory("/")),
      rights_(largest_file),
      output_(output),
      make_initrds_(make_initrds) {
  ::setenv("PATH", program_path, 1);
}

base::Command Chroot::command(const std::vector<std::string>& argv) const {
  base::Command command;
  command.argv = argv;
  command.clear_env = true;
  command.env = {
      {"PATH", program_path},
      {"HOME", "/root"},
      {"LC_ALL", "C.UTF-8"},
      {"DEBIAN_FRONTEND", "noninteractive"},
      {"DEBCONF_NONINTERACTIVE_SEEN", "true"},
      {"container", "chroot"},
  };
  if (!make_initrds_) {
    command.env["INITRD"] = "No";  // the hooks make none: we do, once, and see the errors
  }
  for (const auto* name : {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy",
                           "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SOURCE_DATE_EPOCH"}) {
    if (const char* value = std::getenv(name); value != nullptr) {
      command.env[name] = value;
    }
  }
  output_.apply(command);
  rights_.apply(command);
  command.own_group = false;
  return command;
}

base::Outcome Chroot::run(const std::vector<std::string>& argv) const {
  return base::run(command(argv));
}

std::string Chroot::answer_of(const std::vector<std::string>& argv) const {
  auto asked = command(argv);
  asked.capture_output = true;
  auto outcome = base::run(asked);
  return outcome.status == 0 ? std::move(outcome.output) : std::string();
}

void Chroot::run_checked(const std::vector<std::string>& argv) const {
  auto each = command(argv);
  // Some print their complaint on stdout: apt's "E:" lines come last either way.
  auto outcome = base::run(each);
  if (outcome.status == 0) {
    return;
  }
  const auto text = base::trim(base::trim(outcome.error).empty() ? outcome.output : outcome.error);
  const auto lines = base::split(text, '\n');
  constexpr std::size_t keep = 6;
  const auto start = lines.size() > keep ? lines.size() - keep : 0;
  const auto tail =
      base::join({lines.begin() + static_cast<std::ptrdiff_t>(start), lines.end()}, " | ");
  throw Error(Errc::failed,
              base::cat(argv[0], ": exit status ", outcome.status, tail.empty() ? "" : ": ", tail));
}

void Chroot::apt_get(const std::vector<std::string>& words,
                     const std::vector<std::string>& packages) const {
  std::vector<std::string> argv = {"apt-get",
                                   "--yes",
                                   "--quiet",
                                   "-oDpkg::Options::=--force-confold",
                                   "-oDpkg::Options::=--force-unsafe-io",
                                   "-oDpkg::Use-Pty=false",
                                   "-oAPT::Keep-Downloaded-Packages=true",
                                   "-oAcquire::Retries=3",
                                   "-oAcquire::Languages=none",
                                   "-oAPT::Update::Error-Mode=any"};
  argv.insert(argv.end(), words.begin(), words.end());
  argv.insert(argv.end(), packages.begin(), packages.end());
  run_checked(argv);
}

bool Chroot::has_program(const std::string& name) const {
  return std::ranges::any_of(base::split(program_path, ':'), [&](const auto& directory) {
    return root_.exists(base::cat(directory, "/", name));
  });
}

std::vector<Package> Chroot::packages() const {
  const auto text = root_.read(status_file, largest_status);
  if (!text) {
    throw Error(Errc::untrusted, base::cat("the image has no dpkg (", status_file, " is missing)"));
  }
  return parse_dpkg_status(*text, status_file);
}

std::vector<std::string> Chroot::files_of(const Package& package) const {
  for (const auto& stem : {package.name, base::cat(package.name, ":", package.architecture)}) {
    const auto path = base::cat("/var/lib/dpkg/info/", stem, ".list");
    if (const auto text = root_.read(path, largest_status)) {
      return base::split(*text, '\n');
    }
  }
  return {};
}

}  // namespace meph2::image
