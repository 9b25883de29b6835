#include "meph2/image/stage.h"

#include <clocale>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/path.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "meph2/image/sandbox/emulation.h"
#include "meph2/image/steps/chroot_steps.h"
#include "meph2/image/steps/kihelper.h"
#include "meph2/image/steps/rpm_steps.h"

namespace meph2::image {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Layers, base_file, base_type, base_offset, base_size, lowers,
                                   upper)

namespace {

using base::Errc;
using base::Error;
using io::Json;

Json to_json(const StageJob& job) {
  return {{"kind", kind_of(job.input)},  {"label", job.label},     {"emulate", job.emulate},
          {"network", job.network},      {"verbose", job.verbose}, {"log", job.log},
          {"input", to_json(job.input)}, {"layers", job.layers}};
}

StageJob from_json(const Json& json) {
  StageJob job;
  job.input = stage_input(json.at("kind").get<std::string>(), json.at("input"));
  job.label = json.at("label").get<std::string>();
  job.emulate = json.at("emulate").get<std::string>();
  job.network = json.at("network").get<bool>();
  job.verbose = json.at("verbose").get<bool>();
  job.log = json.at("log").get<int>();
  job.layers = json.at("layers").get<Layers>();
  // A kernel and its initrd are made without those of the image.
  job.layers.devices = std::holds_alternative<AdjustInput>(job.input) ||
                       std::holds_alternative<SquashInput>(job.input);
  return job;
}

/// What runs inside of the image sees nothing of the host.
void enter_image(const StageJob& job) {
  const auto emulator = open_emulator(job.emulate);
  enter_root();
  if (emulator) {
    start_emulation(*emulator, job.emulate);
  }
}

Json do_job(const StageJob& job) {
  const auto resolver = read_resolver();
  const StageOutput output{job.verbose, job.log};
  mount_layers(job.layers);
  return std::visit(
      Overloaded{[&](const SquashInput& input) { return pack_merged_tree(input, output); },
                 [&](const TarInput& input) { return tar_merged_tree(input, output); },
                 [&](const KihelperInput& input) { return run_kihelper(input, output); },
                 [&](const RpmInput& input) {
                   enter_image(job);
                   return install_rpms(input, resolver, output);
                 },
                 [&](const ChrootInput& input) {
                   // Opened before the old root goes away: where the kernel's files are left.
                   const auto out = base::exists_at(AT_FDCWD, job.layers.upper + "/out")
                                        ? base::open_directory(job.layers.upper + "/out")
                                        : base::File();
                   enter_image(job);
                   return run_chroot_stage(input, resolver, out.fd(), output);
                 }},
      job.input);
}

/// Reports into memory, because stdout and stderr belong to the programs that run, and the disk may
/// be what has run out.
int run_and_report(const StageJob& job, base::File& report) {
  Json result;
  int status = 0;
  try {
    result["done"] = do_job(job);
  } catch (const base::Stopped&) {
    result = {{"stopped", true}};
    status = 1;
  } catch (...) {
    const auto error = base::as_error(std::current_exception());
    result = {{"code", static_cast<int>(error.code())}, {"error", error.what()}};
    status = 1;
  }
  report.write(result.dump(-1, ' ', true, Json::error_handler_t::replace));
  return status;
}

base::File make_report() {
  base::UniqueFd fd(::memfd_create("stage-report", MFD_CLOEXEC));
  if (!fd) {
    base::throw_errno(errno, "create", "the stage's report");
  }
  return {std::move(fd), "the stage's report"};
}

}  // namespace

int stage_main(const std::string& path) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  try {
    auto file = base::open_file(path, O_RDONLY);
    const auto json = io::read_json(file);
    const auto job = from_json(json);
    const int report_fd = json.at("report_fd").get<int>();
    const auto directory = base::open_directory(base::parent_of(path));
    if (::fchdir(directory.fd()) != 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
      base::throw_errno(errno, "enter", path);
    }
    ::fcntl(report_fd, F_SETFD, FD_CLOEXEC);  // for us, not for what we run
    if (job.log >= 0) {
      ::fcntl(job.log, F_SETFD, FD_CLOEXEC);
    }
    base::File report(base::UniqueFd(report_fd), "the stage's report");
    return run_in_namespaces(job.network, [&job, &report] { return run_and_report(job, report); });
  } catch (...) {
    const auto text = base::describe(base::as_error(std::current_exception())) + "\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    return 1;
  }
}

io::Json run_stage(const StageJob& job, const std::string& scratch, const std::stop_token& stop) {
  const auto path = base::cat(scratch, "/", base::replace_all(job.label, "/", "_"), ".job");
  auto file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  auto report = make_report();
  auto json = to_json(job);
  json["report_fd"] = report.fd();
  file.write(json.dump());
  file.close();
  base::Command command;
  command.argv = {"/proc/self/exe", stage_option, path};
  command.capture_error = !job.verbose;
  command.echo_fd = job.log;
  command.keep_fds = {report.fd()};
  if (job.log >= 0) {
    command.keep_fds.push_back(job.log);
  }
  const auto outcome = base::with_context(job.label, [&] { return base::run(command, stop); });
  if (report.size() == 0) {
    const auto text = std::string(base::trim(outcome.error));
    throw Error(Errc::failed,
                base::cat(job.label, ": stopped with status ", outcome.status,
                          text.empty() ? "" : ": ", base::replace_all(text, "error: ", "")));
  }
  auto result = io::read_json(report);
  if (result.contains("stopped")) {
    throw base::Stopped();
  }
  if (result.contains("error")) {
    throw Error(static_cast<Errc>(result["code"].get<int>()),
                base::cat(job.label, ": ", result["error"].get<std::string>()));
  }
  if (outcome.status != 0) {
    throw Error(Errc::failed, base::cat(job.label, ": stopped with status ", outcome.status));
  }
  return result["done"];
}

}  // namespace meph2::image
