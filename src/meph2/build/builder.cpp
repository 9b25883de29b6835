#include "meph2/build/builder.h"

#include <filesystem>

#include <unistd.h>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/process/subprocess.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "io/http/http.h"

namespace meph2 {

namespace {

/// In the builder's space; no output begins with a dot.
const std::string report_name = ".report.json";

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).string();
}

sstream::Checksums digest_output(int space, const std::string& path, const std::stop_token& stop) {
  auto file = base::find_beneath(space, path, O_RDONLY);
  if (!file) {
    throw base::Error(base::Errc::failed, base::cat("the builder did not make ", path));
  }
  if (!S_ISREG(file.status().st_mode)) {
    throw base::Error(base::Errc::failed,
                      base::cat("the builder made ", path, ", but not as a regular file"));
  }
  sstream::Checksums sums;
  sums.sha256 = io::digest_file(io::Algorithm::sha256, file, &sums.size, stop);
  if (sums.size == 0) {
    throw base::Error(base::Errc::failed, base::cat("the builder made ", path, " empty"));
  }
  return sums;
}

BuiltFiles digest_outputs(const BuildPlan& plan, const std::string& space,
                          const std::stop_token& stop) {
  const auto directory = base::open_directory(space);
  std::vector<sstream::Checksums> sums(plan.paths.size());
  base::parallel_for(plan.paths.size(), base::reader_count(), [&](std::size_t i) {
    sums[i] = digest_output(directory.fd(), plan.paths[i], stop);
  });
  BuiltFiles files;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    files[plan.paths[i]] = sums[i];
  }
  return files;
}

/// Of an image that is complete: what the builder itself did not remove, and an earlier one's.
void forget_logs(const std::string& logs, const base::Log& log) {
  try {
    base::remove_tree(logs);
    base::remove_directory_at(AT_FDCWD, base::parent_of(logs));
  } catch (const base::Error& error) {
    log.warning(base::cat("logs are left: ", error.what()));
  }
}

}  // namespace

std::string builder_program() {
  const auto given = environment("MAAS_CLOUDIMG2EPH2");
  const auto name = given.empty() ? "maas-cloudimg2eph2" : given;
  if (const auto found = base::find_program(name)) {
    return absolute(*found);
  }
  std::error_code ignored;
  const auto beside = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& candidate :
       {beside / name, beside.parent_path().parent_path().parent_path() / "bin" / name}) {
    if (base::find_program(candidate.string())) {
      return candidate.string();
    }
  }
  throw base::Error(
      base::Errc::not_found,
      base::cat("run ", name, ": no such program; MAAS_CLOUDIMG2EPH2 names the builder"));
}

std::string stages_of(const std::string& repository) {
  return base::cat(absolute(repository), "/.data/.sstream/stages");
}

std::string logs_of(const std::string& repository, const std::string& release,
                    const std::string& arch, const std::string& version) {
  const auto name = base::cat(release, "-", arch, "-", version);
  return (std::filesystem::absolute(repository) / "logs" / name).lexically_normal().string();
}

BuiltImage run_builder(const BuildPlan& plan, const BuilderOptions& options,
                       const std::string& source, const std::string& space,
                       const sstream::Context& context) {
  base::Command command;
  // Outputs are named relative to the builder's directory: a comma in the path of the repository
  // would otherwise end a part of --krd-pack.
  const auto input = io::is_http_url(source) ? source : absolute(source);
  command.argv = builder_command(plan, builder_program(), options.verbosity, input, ".");
  command.directory = space;
  command.output_fd = STDERR_FILENO;
  command.env = {{"M2E_JOBS", options.jobs > 0 ? std::to_string(options.jobs) : ""},
                 {"M2E_STAGES", options.stages},
                 {"M2E_NO_RESUME", options.resume ? "" : "1"},
                 {"M2E_UNPRIVILEGED", options.unprivileged ? "1" : ""},
                 {"M2E_SQUASHFS_COMPRESSION", options.squashfs_compression},
                 {"M2E_ROOT_IMAGE_SIZE", options.root_image_size},
                 {"M2E_LOGS", options.logs},
                 {"M2E_REPORT", base::cat(absolute(space), "/", report_name)}};
  std::erase_if(command.env, [](const auto& variable) { return variable.second.empty(); });
  context.log.debug(base::cat("running: ", base::shell_quote(command.argv)));
  const auto name_logs = [&](auto& failure) {
    if (!options.logs.empty() && base::exists_at(AT_FDCWD, options.logs)) {
      failure.set_state(base::cat("logs are in ", options.logs));
    }
  };
  try {
    base::run_checked(command, context.stop);
    BuiltImage image{digest_outputs(plan, space, context.stop),
                     read_build_report(space, report_name, context.log)};
    if (!options.logs.empty()) {
      forget_logs(options.logs, context.log);
    }
    return image;
  } catch (base::Error& error) {
    name_logs(error);
    throw;
  } catch (base::Stopped& stop) {
    name_logs(stop);
    throw;
  }
}

}  // namespace meph2
