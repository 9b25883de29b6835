#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "sstream/repository/context.h"
#include "sstream/repository/repository.h"
#include "sstream/staging/new_file.h"
#include "sstream/staging/staging_area.h"

namespace sstream {

/// What a file is called while it is staged: "DIGEST-SIZE", of its strongest digest. Who lies about
/// one of the two gets a file of their own.
std::string staged_name(const NewFile& file);

/// Files on their way in, a bounded number of them: opened, fetched, sealed, placed, in this order,
/// each step once, and each in whatever thread has time for it. Nothing under a final name is ever
/// partial. What it copied from local files goes away with it, unless it was placed; what it
/// downloaded stays in the area for a later run to go on with.
class StagedBatch {
 public:
  /// As many contents as may be held open at once.
  static constexpr std::size_t most_contents = 128;

  /// Opens what is to be downloaded into. Content that several paths share is fetched once. The
  /// repository and the area outlive this.
  StagedBatch(const Repository& repository, const StagingArea& area, std::vector<NewFile> files);
  StagedBatch(StagedBatch&&) noexcept = default;
  StagedBatch& operator=(StagedBatch&&) noexcept = default;
  StagedBatch(const StagedBatch&) = delete;
  StagedBatch& operator=(const StagedBatch&) = delete;
  ~StagedBatch();

  /// Copies and downloads, and verifies size and digest. Throws for a stop request only: files that
  /// cannot be had are counted, see failed().
  void fetch(const Context& context);

  /// Makes what was downloaded last, and verifies further digests.
  void seal();

  /// Final names, without replacing (but see NewFile::replace), made to last.
  void place();

  /// How many contents could not be had so far, and why the first.
  std::size_t failed() const { return failed_; }

  const std::exception_ptr& first_failure() const { return first_failure_; }

  std::size_t contents() const { return local_.size() + remote_.size(); }

 private:
  /// Paths that get the same content.
  using Group = std::vector<const NewFile*>;

  void group_by_content();
  void fetch_local(const Context& context);
  void fetch_remote(const Context& context);
  /// Counts it, unless it is null.
  void fail(const std::exception_ptr& error);

  const Repository* repository_;
  const StagingArea* area_;
  std::vector<NewFile> files_;
  std::vector<Group> local_;
  std::vector<Group> remote_;
  std::vector<base::File> opened_;  ///< of remote_, until they are sealed
  std::size_t failed_ = 0;
  std::exception_ptr first_failure_;
};

}  // namespace sstream
