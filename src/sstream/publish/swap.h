#pragma once

#include <string>

#include "sstream/repository/repository.h"

namespace sstream {

/// Makes streams/`next` the live generation, in one step where the file system can exchange two
/// directories, else by ordered renames under a redo journal (docs/architecture.md). `keep` is the
/// name under generations/ that the replaced generation gets. Errors before the visible step leave
/// the stream as it was; errors after it carry Errc::durability_unknown or cleanup_incomplete.
void make_live(const Repository& repository, const std::string& next, const std::string& keep);

/// Where two directories cannot be exchanged, files get their names in the order of this. Readers
/// of any one file never see a pair that does not fit for longer than two renames: products first
/// (the signed form, then the detached pair), the index after them, its signed form last.
int rename_rank(const std::string& file);

/// To be called under commit.lock: finishes a journal that a crash left, removes generations that
/// were never published.
void recover(const Repository& repository);

/// true when recover() would have something to do.
bool needs_recovery(const Repository& repository);

}  // namespace sstream
