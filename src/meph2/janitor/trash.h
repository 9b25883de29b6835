#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/fs/file.h"
#include "sstream/repository/repository.h"

namespace meph2 {

/// Where reaped files wait for a while: DATA_D/.data/.sstream/trash/<when>/, under the paths that
/// they had.
class Trash {
 public:
  /// `keep` zero: nothing waits, files are unlinked at once.
  Trash(const sstream::Repository& data, base::Time now, std::chrono::seconds keep);

  /// Takes `name` away from `directory`; `path` is its path below the data directory.
  void take(int directory, const std::string& name, const std::string& path);

 private:
  void open_batch();
  /// The directory of `path` in the batch, made.
  int directory_for(const std::string& path);

  const sstream::Repository& data_;
  std::string batch_name_;
  bool keep_;
  base::File batch_;
  base::File directory_;
  std::string directory_path_;
};

/// Removes the batches that waited for `keep`; returns their number. One from the future waits on,
/// and so do the rest after a stop request.
std::size_t purge_trash(const sstream::Repository& data, base::Time now, std::chrono::seconds keep,
                        const std::stop_token& stop);

}  // namespace meph2
