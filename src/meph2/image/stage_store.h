#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/fs/file_lock.h"
#include "io/json/json.h"
#include "sstream/repository/context.h"

namespace meph2::image {

/// Counted up with whatever changes what a stage makes of the same inputs.
inline constexpr int revision = 3;

/// Of this program: "1.2.0".
std::string builder_version();

/// What a stage is made from: equal inputs give an equal outcome.
struct StageInputs {
  std::string stage;  ///< "prepare": a word fit for a file name
  /// Digests and settings. Nothing: the stage starts from something that was not kept itself, so
  /// nobody could ever match it, and it is not kept either.
  std::optional<io::Json> inputs;
  std::chrono::seconds fresh_for = std::chrono::hours(7 * 24);
  /// A layer: it was not synced, so another boot of the machine may not have it as it was.
  bool layer = false;
  /// Which of several stages of that name it is (the package of a kernel), where there are several.
  std::string of = {};
};

/// What stages know by which the thing that they start from; nothing where it was not kept: no
/// later build could match it.
using Known = std::optional<std::string>;

/// How a stage came about.
struct StageOutcome {
  std::string path;    ///< directory that holds what was made
  Known digest;        ///< of all that is in there
  io::Json result;     ///< what `work` returned
  bool taken = false;  ///< from an earlier build
};

/// Finished stages of builds that did not finish, in a directory of the builder's own: each with
/// what it was made from and the digest of what it made, under a name that it gets only when it is
/// complete. What is taken is compared with its digest first. One object may be used by several
/// threads.
class StageStore {
 public:
  /// Without a directory nothing is kept or taken. Removes what is unfinished or old, unless
  /// another build uses the directory. `resume`: whether stages may be taken; they are kept either
  /// way. Error(refused) for a directory in which somebody else may write.
  StageStore(const std::string& directory, bool resume, const sstream::Context& context);

  bool keeps() const { return !directory_.empty(); }

  /// Takes the stage, or has it made: `work` fills the directory `made` (which may exist) and
  /// returns the stage's result. `names`: what of `made` counts; all of it where empty. `label` is
  /// for the log. The outcome's path is `made` where the stage could not be kept.
  StageOutcome run(const StageInputs& inputs, const std::string& label, const std::string& made,
                   const std::vector<std::string>& names, const std::function<io::Json()>& work);

  /// The build is complete: removes the stages that it took or kept. Best effort.
  void forget();

 private:
  std::optional<StageOutcome> take(const std::string& name, const StageInputs& inputs,
                                   std::string& reason) const;
  StageOutcome keep(const std::string& name, const StageInputs& inputs, const std::string& made,
                    const std::vector<std::string>& names, io::Json result) const;
  std::optional<StageOutcome> take_entry(const std::string& entry, const StageInputs& inputs,
                                         std::string& reason) const;
  void sweep() const;

  std::string directory_;
  bool resume_;
  const sstream::Context& context_;
  base::FileLock lock_;
  std::mutex mutex_;
  std::vector<std::string> used_;  ///< names of entries
};

/// Of a directory: names, kinds, modes, owners, times, extended attributes and contents.
std::string tree_fingerprint(const std::string& directory);

/// The name under which a stage with these inputs is kept.
std::string stage_name(const StageInputs& inputs);

}  // namespace meph2::image
