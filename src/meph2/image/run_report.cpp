#include "meph2/image/run_report.h"

#include <chrono>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/fs/path.h"
#include "base/strings.h"

namespace meph2::image {

namespace {

using io::Json;
using Steady = std::chrono::steady_clock;

/// To a tenth: more would only be noise.
double seconds_since(Steady::time_point start) {
  const std::chrono::duration<double> past = Steady::now() - start;
  return std::round(past.count() * 10) / 10;
}

/// A file of its own, never what somebody else put there under the name.
base::File make_log(const std::string& path) {
  base::make_directories(base::parent_of(path));
  base::unlink_at(AT_FDCWD, path);
  auto file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0640);
  file.chmod(0640);
  return file;
}

void write_best_effort(base::File& log, const std::string& line) noexcept {
  try {
    log.write(line + "\n");
  } catch (const base::Error&) {
    return;  // the disk may be what has run out; the failure itself is reported
  }
}

/// "prepare.log", "kernel-linux-generic.log".
std::string log_name(const StageInputs& inputs) {
  auto name = inputs.stage;
  if (!inputs.of.empty()) {
    name += "-" + base::replace_all(inputs.of, "/", "_");
  }
  return name + ".log";
}

}  // namespace

RunReport::RunReport(const std::string& logs)
    : directory_(logs.empty() ? logs
                              : std::filesystem::absolute(logs).lexically_normal().string()) {
  while (directory_.size() > 1 && directory_.back() == '/') {
    directory_.pop_back();
  }
}

void RunReport::set_source(const std::string& sha256, std::uint64_t size) {
  const std::lock_guard<std::mutex> guard(mutex_);
  source_ = {{"sha256", sha256}, {"size", size}};
}

StageOutcome RunReport::run(StageStore& stages, const StageInputs& inputs, const std::string& label,
                            const std::string& made, const std::vector<std::string>& names,
                            const Work& work) {
  const auto path =
      directory_.empty() ? std::string() : base::cat(directory_, "/", log_name(inputs));
  const auto start = Steady::now();
  base::File log;
  const auto failed = [&](const std::string& line) {
    if (log) {
      write_best_effort(log, line);
    }
    end({inputs.stage, label, seconds_since(start), "failed", log ? path : ""}, {});
    return log ? base::cat("see ", path) : std::string();
  };
  try {
    auto outcome = stages.run(inputs, label, made, names, [&] {
      if (!path.empty()) {
        log = make_log(path);
      }
      return work(log ? log.fd() : -1);
    });
    end({inputs.stage, label, seconds_since(start), outcome.taken ? "taken" : "made", path},
        outcome.result);
    return outcome;
  } catch (base::Stopped& stop) {
    stop.set_state(failed(base::describe(stop)));
    throw;
  } catch (...) {
    auto error = base::as_error(std::current_exception());
    error.set_state(failed(base::describe(error)));
    throw error;
  }
}

void RunReport::end(Stage stage, const Json& result) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (!stage.log.empty()) {
    logs_.insert(stage.log);
  }
  stages_.push_back(std::move(stage));
  if (result.is_object()) {
    for (const auto& archive : result.value("archives", Json::array())) {
      archives_.insert({archive.at("url").get<std::string>(),
                        archive.at("suite").get<std::string>(),
                        archive.at("sha256").get<std::string>()});
    }
    packages_.update(result.value("packages", Json::object()));
  }
}

void RunReport::forget_logs() noexcept {
  const std::lock_guard<std::mutex> guard(mutex_);
  try {
    for (const auto& log : logs_) {
      base::unlink_at(AT_FDCWD, log);
    }
    if (!directory_.empty()) {
      base::remove_directory_at(AT_FDCWD, directory_);
    }
  } catch (const base::Error&) {
    return;  // the image is there: a log that stays harms nobody
  }
}

Json RunReport::report() const {
  const std::lock_guard<std::mutex> guard(mutex_);
  auto stages = Json::array();
  for (const auto& stage : stages_) {
    Json entry{{"label", stage.label},
               {"name", stage.name},
               {"outcome", stage.outcome},
               {"seconds", stage.seconds}};
    if (!stage.log.empty() && base::exists_at(AT_FDCWD, stage.log)) {
      entry["log"] = stage.log;
    }
    stages.push_back(std::move(entry));
  }
  auto archives = Json::array();
  for (const auto& [url, suite, digest] : archives_) {
    archives.push_back({{"sha256", digest}, {"suite", suite}, {"url", url}});
  }
  return {{"archives", std::move(archives)},
          {"builder", base::cat("maas-cloudimg2eph2 ", builder_version())},
          {"packages", packages_},
          {"revision", revision},
          {"source", source_},
          {"stages", std::move(stages)}};
}

}  // namespace meph2::image
