#include "sstream/staging/staged_batch.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>
#include <tuple>

#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fs/parent_cache.h"
#include "base/fs/path.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "sstream/staging/staging.h"

namespace sstream {

namespace {

/// The staged file is whole: fit for its final name.
void seal_file(base::File& file) {
  file.chmod(0644);
  file.sync();
}

void copy_local(const StagingArea& area, const NewFile& wanted, const std::stop_token& stop) {
  const auto name = staged_name(wanted);
  auto source = open_origin(wanted);
  base::unlink_at(area.fd(), name);
  base::clone_file(source, area.fd(), name, wanted.may_link, stop);
  auto file = base::open_file_at(area.fd(), name, O_RDONLY | O_NOFOLLOW);
  file.set_name(wanted.origin);
  verify_file(file, wanted.expected, stop);
  seal_file(file);
}

/// What a run that died had linked belongs to somebody else as well: it is never written to.
void drop_link(int dirfd, const std::string& name) {
  const auto status = base::status_of(dirfd, name);
  if (status && status->st_nlink > 1) {
    base::unlink_at(dirfd, name);
  }
}

/// What a download is written into: new, or what an earlier run had got of it.
base::File open_download(const StagingArea& area, const std::string& name) {
  constexpr int flags = O_RDWR | O_CREAT | O_NOFOLLOW;
  try {
    return base::open_file_at(area.fd(), name, flags | O_EXCL, 0600);
  } catch (const base::Error& error) {
    if (error.sys_errno() != EEXIST) {
      throw;
    }
  }
  drop_link(area.fd(), name);
  return base::open_file_at(area.fd(), name, flags, 0600);
}

io::FileRequest request_for(const NewFile& wanted, base::File& into) {
  io::FileRequest request;
  request.url = wanted.origin;
  request.mirrors = wanted.mirrors;
  request.size = wanted.expected.size;
  std::tie(request.algorithm, request.digest) = wanted.expected.strongest();
  request.into = &into;
  return request;
}

bool has_several_digests(const Checksums& sums) {
  return (sums.md5.empty() ? 0 : 1) + (sums.sha256.empty() ? 0 : 1) +
             (sums.sha512.empty() ? 0 : 1) >
         1;
}

/// What `work` throws, with the file's name; null for nothing.
template <typename Work>
std::exception_ptr failure_of(const NewFile& file, Work work) {
  try {
    base::with_context([&] { return base::cat("add ", file.path); }, work);
  } catch (const base::Error&) {
    return std::current_exception();
  }
  return nullptr;
}

/// Gives a staged file its final name.
void place_file(const Repository& repository, int staging, const std::string& staged,
                const NewFile& wanted, base::ParentCache& parents) {
  const auto name = base::base_name(wanted.path);
  const auto place = repository.place(wanted.path);
  const auto& parent = parents.of(place.dirfd, place.path);
  if (wanted.replace) {
    base::rename_at(staging, staged, parent.fd(), name);
  } else if (!base::rename_noreplace_at(staging, staged, parent.fd(), name)) {
    presence_of(repository, wanted);  // somebody else brought it in: the same, or a conflict
    base::unlink_at(staging, staged);
  }
}

void place_group(const Repository& repository, int staging,
                 const std::vector<const NewFile*>& group, base::ParentCache& parents) {
  const auto staged = staged_name(*group.front());
  for (std::size_t i = 1; i < group.size(); ++i) {
    auto source = base::open_file_at(staging, staged, O_RDONLY | O_NOFOLLOW);
    const auto copy = base::cat(staged, ".", i);
    base::unlink_at(staging, copy);
    base::clone_file(source, staging, copy, false);
    place_file(repository, staging, copy, *group[i], parents);
  }
  place_file(repository, staging, staged, *group.front(), parents);
}

}  // namespace

std::string staged_name(const NewFile& file) {
  return base::cat(file.expected.strongest().second, "-", file.expected.size);
}

StagedBatch::StagedBatch(const Repository& repository, const StagingArea& area,
                         std::vector<NewFile> files)
    : repository_(&repository), area_(&area), files_(std::move(files)) {
  group_by_content();
  opened_.reserve(remote_.size());
  for (const auto& group : remote_) {
    opened_.push_back(open_download(area, staged_name(*group.front())));
  }
}

StagedBatch::~StagedBatch() {
  for (const auto& group : local_) {
    ::unlinkat(area_->fd(), staged_name(*group.front()).c_str(), 0);
  }
}

void StagedBatch::group_by_content() {
  std::map<std::string, Group> groups;
  for (const auto& file : files_) {
    groups[staged_name(file)].push_back(&file);
  }
  const auto is_remote = [](const NewFile* file) { return io::is_http_url(file->origin); };
  for (auto& [name, group] : groups) {
    // What can be copied is not downloaded.
    std::stable_partition(group.begin(), group.end(), std::not_fn(is_remote));
    auto& kind = is_remote(group.front()) ? remote_ : local_;
    kind.push_back(std::move(group));
  }
}

void StagedBatch::fail(const std::exception_ptr& error) {
  if (error) {
    ++failed_;
    first_failure_ = first_failure_ ? first_failure_ : error;
  }
}

void StagedBatch::fetch(const Context& context) {
  fetch_local(context);
  if (!remote_.empty()) {
    fetch_remote(context);
  }
  base::check_stop(context.stop);
}

void StagedBatch::fetch_local(const Context& context) {
  std::vector<std::exception_ptr> failures(local_.size());
  base::parallel_for(local_.size(), base::reader_count(), [&](std::size_t i) {
    base::check_stop(context.stop);
    const auto& file = *local_[i].front();
    failures[i] = failure_of(file, [&] { copy_local(*area_, file, context.stop); });
    context.progress.add_bytes(file.expected.size);
    context.progress.finish_item(file.path);
  });
  for (const auto& failure : failures) {
    fail(failure);
  }
}

void StagedBatch::fetch_remote(const Context& context) {
  std::vector<io::FileRequest> requests;
  requests.reserve(remote_.size());
  for (std::size_t i = 0; i < remote_.size(); ++i) {
    requests.push_back(request_for(*remote_[i].front(), opened_[i]));
  }
  context.http.fetch(
      requests, context.progress,
      [&](std::size_t i, const std::exception_ptr& error) {
        if (error) {
          fail(failure_of(*remote_[i].front(), [&] { std::rethrow_exception(error); }));
        }
      },
      context.stop);
}

void StagedBatch::seal() {
  for (std::size_t i = 0; i < remote_.size(); ++i) {
    const auto& file = *remote_[i].front();
    fail(failure_of(file, [&] {
      // The download has compared the strongest digest, and the size.
      if (has_several_digests(file.expected)) {
        verify_file(opened_[i], file.expected);
      }
      seal_file(opened_[i]);
    }));
    opened_[i] = {};
  }
}

void StagedBatch::place() {
  base::failpoint::sync("before-data-rename");
  base::ParentCache parents(base::ParentCache::Absent::made);
  for (const auto* groups : {&local_, &remote_}) {
    for (const auto& group : *groups) {
      place_group(*repository_, area_->fd(), group, parents);
    }
  }
  parents.sync();
  local_.clear();
}

}  // namespace sstream
