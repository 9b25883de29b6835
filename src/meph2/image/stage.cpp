#include "meph2/image/stage.h"

#include <clocale>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/process/stop.h"
#include "base/process/subprocess.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "meph2/image/sandbox/emulation.h"
#include "meph2/image/sandbox/namespaces.h"
#include "meph2/image/sandbox/rights.h"
#include "meph2/image/sandbox/sandbox.h"
#include "meph2/image/sandbox/stage_socket.h"
#include "meph2/image/steps/chroot_steps.h"
#include "meph2/image/steps/handed_out.h"
#include "meph2/image/steps/kihelper.h"
#include "meph2/image/steps/rpm_steps.h"

namespace meph2::image {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Layers, base_file, base_type, base_offset, base_size, lowers,
                                   upper)

namespace {

using base::Errc;
using base::Error;
using io::Json;

constexpr std::uint64_t largest_job = 16ULL << 20U;
constexpr std::uint64_t largest_report = 16ULL << 20U;

Json to_json(const StageJob& job, const std::string& scratch) {
  return {{"kind", kind_of(job.input)},
          {"label", job.label},
          {"emulate", job.emulate},
          {"network", job.network},
          {"log", job.verbose || job.log >= 0},
          {"input", to_json(job.input)},
          {"layers", job.layers},
          {"scratch", scratch}};
}

StageJob from_json(const Json& json) {
  StageJob job;
  job.input = stage_input(json.at("kind").get<std::string>(), json.at("input"));
  job.label = json.at("label").get<std::string>();
  job.emulate = json.at("emulate").get<std::string>();
  job.network = json.at("network").get<bool>();
  job.log = json.at("log").get<bool>() ? STDERR_FILENO : -1;
  job.layers = json.at("layers").get<Layers>();
  // A kernel and its initrd are made without those of the image.
  job.layers.devices = std::holds_alternative<AdjustInput>(job.input) ||
                       std::holds_alternative<SquashInput>(job.input);
  return job;
}

/// A stage in its own process: what it opens, mounts and does, and what it says of it.
class Stage {
 public:
  Stage(StageJob job, StageSocket& socket)
      : job_(std::move(job)), socket_(socket), layers_(job_.layers) {}

  int run() {
    int status = 1;
    or_say([&] {
      layers_.prepare();
      status = run_in_sandbox(job_.network,
                              {.outside = [this](pid_t inside) { layers_.map_ids(inside); },
                               .open = [this] { or_say([this] { open(); }); },
                               .mount = [this] { or_say([this] { layers_.mount(); }); },
                               .run = [this] { return report(); }});
    });
    return status;
  }

 private:
  void open() {
    resolver_ = read_resolver();
    layers_.open();
    emulator_ = open_emulator(job_.emulate);
    host_files_ = std::visit(
        Overloaded{[](const SquashInput& input) { return HostFiles::to_write(input.output); },
                   [](const TarInput& input) { return HostFiles::to_write(input.output); },
                   [](const KihelperInput& input) {
                     return HostFiles::of_helper(input.program, input.place);
                   },
                   [](const auto&) { return HostFiles(); }},
        job_.input);
  }

  /// What runs inside of the image sees nothing of the host.
  void enter_image() {
    enter_root();
    if (emulator_) {
      start_emulation(*emulator_, job_.emulate);
    }
    emulator_.reset();
    close_all_but(socket_.fd());
    bound_capabilities();
  }

  Json do_job() {
    const StageOutput output{job_.log};
    return std::visit(
        Overloaded{
            [&](const SquashInput& input) { return pack_merged_tree(input, host_files_, output); },
            [&](const TarInput&) { return tar_merged_tree(host_files_, output); },
            [&](const KihelperInput& input) { return run_kihelper(input, host_files_, output); },
            [&](const RpmInput& input) {
              enter_image();
              return install_rpms(input, resolver_, output);
            },
            [&](const ChrootInput& input) {
              enter_image();
              return run_chroot_stage(input, resolver_, socket_, output);
            }},
        job_.input);
  }

  int report() {
    or_say([this] {
      const auto done = do_job();
      socket_.send_text("done", done.dump(-1, ' ', true, Json::error_handler_t::replace));
    });
    return 0;
  }

  /// Tells the other end of what went wrong, and ends this process.
  void or_say(const std::function<void()>& work) {
    try {
      work();
    } catch (const base::Stopped&) {
      socket_.send_text("stopped", "{}");
      ::_exit(1);
    } catch (...) {
      const auto error = base::as_error(std::current_exception());
      const Json said = {{"code", static_cast<int>(error.code())}, {"error", error.what()}};
      socket_.send_text("failed", said.dump(-1, ' ', true, Json::error_handler_t::replace));
      ::_exit(1);
    }
  }

  StageJob job_;
  StageSocket& socket_;
  LayerMounts layers_;
  std::string resolver_;
  std::optional<base::File> emulator_;
  HostFiles host_files_;
};

/// What a stage said at its end.
struct Said {
  std::string kind;
  Json json;
};

/// Takes what a stage sends, each file once and no other than a stage may have, into `out`.
class Receiver {
 public:
  Receiver(StageSocket& socket, std::string out) : socket_(socket), out_(std::move(out)) {}

  void receive() {
    while (auto head = socket_.next()) {
      if (head->kind == "file") {
        take_file(*head);
      } else if (said_ ||
                 (head->kind != "done" && head->kind != "failed" && head->kind != "stopped")) {
        throw Error(Errc::untrusted, base::cat("the stage says '", base::escape_control(head->kind),
                                               "' where it has nothing to say any more"));
      } else {
        said_ = Said{head->kind, io::parse_json(socket_.text(*head, largest_report), "report")};
      }
    }
  }

  const std::optional<Said>& said() const { return said_; }

 private:
  void take_file(const StageSocket::Head& head) {
    const auto limit = largest_handed_out(head.name);
    if (!limit || out_.empty()) {
      throw Error(Errc::untrusted,
                  base::cat("the stage hands out '", base::escape_control(head.name),
                            "', which nobody asked for"));
    }
    base::make_directories(out_);
    const auto directory = base::open_directory(out_);
    auto file = base::open_file_at(directory.fd(), head.name, O_WRONLY | O_CREAT | O_EXCL, 0644);
    socket_.copy_to(head, *limit, file);
    file.close();
  }

  StageSocket& socket_;
  std::string out_;
  std::optional<Said> said_;
};

/// The error that a stage says, with no code but one that there is.
Error said_error(const std::string& label, const Json& said) {
  const auto code = said.value("code", -1);
  const bool known = code >= 0 && code <= static_cast<int>(Errc::internal);
  return {known ? static_cast<Errc>(code) : Errc::failed,
          base::cat(label, ": ", said.value("error", "failed, and does not say why"))};
}

Json judged(const std::string& label, const base::Outcome& outcome,
            const std::optional<Said>& said) {
  if (said && said->kind == "stopped") {
    throw base::Stopped();
  }
  if (said && said->kind == "failed") {
    throw said_error(label, said->json);
  }
  if (!said || outcome.status != 0) {
    const auto text = std::string(base::trim(outcome.error));
    throw Error(Errc::failed,
                base::cat(label, ": stopped with status ", outcome.status, text.empty() ? "" : ": ",
                          base::replace_all(text, "error: ", "")));
  }
  return said->json;
}

}  // namespace

int stage_main(int fd) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  try {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);  // for us, not for what we run
    StageSocket socket{base::UniqueFd(fd)};
    const auto head = socket.next();
    const auto json = io::parse_json(head ? socket.text(*head, largest_job) : "", "job");
    const auto scratch = json.at("scratch").get<std::string>();
    // What programs print is our stderr: stdout is nobody's.
    if (::chdir(scratch.c_str()) != 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
      base::throw_errno(errno, "enter", scratch);
    }
    return Stage(from_json(json), socket).run();
  } catch (...) {
    const auto text = base::describe(base::as_error(std::current_exception())) + "\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    return 1;
  }
}

io::Json run_stage(const StageJob& job, const std::string& scratch, const std::stop_token& stop) {
  make_upper(job.layers, scratch);
  auto ends = StageSocket::make();
  auto& ours = ends.first;
  Receiver receiver(
      ours, job.layers.upper.empty() ? "" : base::cat(scratch, "/", job.layers.upper, "/out"));
  base::Beside receiving([&](const std::stop_token&) {
    try {
      ours.send_text("job", to_json(job, scratch).dump());
      receiver.receive();
    } catch (...) {
      ours.shut();
      throw;
    }
  });
  auto theirs = std::move(ends.second);
  base::Command command;
  command.argv = {"/proc/self/exe", stage_option, std::to_string(theirs.fd())};
  command.capture_error = true;
  command.keep_last = 1U << 16U;
  command.echo_fds = {job.log, job.verbose ? STDERR_FILENO : -1};
  command.keep_fds = {theirs.fd()};
  command.most_time = job.most_time;
  command.most_time_from = "--stage-timeout";
  const auto outcome = base::with_context(job.label, [&] { return base::run(command, stop); });
  theirs = StageSocket(base::UniqueFd());  // the other one is gone: receiving comes to its end
  base::with_context(job.label, [&] { receiving.finish(stop); });
  return judged(job.label, outcome, receiver.said());
}

}  // namespace meph2::image
