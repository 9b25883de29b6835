#pragma once

#include <array>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "io/json/json.h"
#include "meph2/image/stage_store.h"

namespace meph2::image {

/// What a build did, stage by stage, for its report; and the logs of its stages, which are kept
/// until the build is complete. One object may be used by several threads.
class RunReport {
 public:
  /// Logs go into `logs`, which is made when the first one is written; empty: there are none.
  explicit RunReport(const std::string& logs);

  /// The source as it came.
  void set_source(const std::string& sha256, std::uint64_t size);

  /// A stage's work; `log` is the descriptor of its log, or -1.
  using Work = std::function<io::Json(int log)>;

  /// StageStore::run, recorded. A failure names the log, if there is one, and ends it.
  StageOutcome run(StageStore& stages, const StageInputs& inputs, const std::string& label,
                   const std::string& made, const std::vector<std::string>& names,
                   const Work& work);

  /// The build is complete: removes the logs of its stages, those that an earlier build left of
  /// them as well, and the directory if nothing else is in there. Best effort.
  void forget_logs() noexcept;

  /// `{"archives", "builder", "packages", "revision", "source", "stages"}`; "source" is null while
  /// it has not been read.
  io::Json report() const;

 private:
  struct Stage {
    std::string name;
    std::string label;
    double seconds;
    const char* outcome;
    std::string log;  ///< absolute path, empty: none
  };

  void end(Stage stage, const io::Json& result);

  std::string directory_;  ///< absolute
  mutable std::mutex mutex_;
  io::Json source_;
  std::vector<Stage> stages_;
  std::set<std::array<std::string, 3>> archives_;  ///< URL, suite, digest
  io::Json packages_ = io::Json::object();
  std::set<std::string> logs_;  ///< of all stages, whether they are there or not
};

}  // namespace meph2::image
