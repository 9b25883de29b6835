#include "meph2/janitor/trash.h"

#include <cerrno>
#include <optional>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/strings.h"

namespace meph2 {

namespace {

constexpr const char* trash_name = "trash";

/// "20260101T120000Z", as base::format_compact() writes it.
std::optional<base::Time> time_of(const std::string& batch) {
  if (batch.size() != 16 || batch[8] != 'T' || batch[15] != 'Z') {
    return std::nullopt;
  }
  return base::parse_stamp(base::cat(batch.substr(0, 4), "-", batch.substr(4, 2), "-",
                                     batch.substr(6, 2), "T", batch.substr(9, 2), ":",
                                     batch.substr(11, 2), ":", batch.substr(13, 2), "+00:00"));
}

}  // namespace

Trash::Trash(const sstream::Repository& data, base::Time now, std::chrono::seconds keep)
    : data_(data), batch_name_(base::format_compact(now)), keep_(keep.count() > 0) {}

void Trash::open_batch() {
  base::make_if_absent_at(data_.private_dir(), trash_name);
  const auto trash = base::open_directory_at(data_.private_dir(), trash_name);
  base::make_if_absent_at(trash.fd(), batch_name_);
  batch_ = base::open_directory_at(trash.fd(), batch_name_);
}

int Trash::directory_for(const std::string& path) {
  const auto parent = base::parent_of(path);
  if (directory_ && parent == directory_path_) {
    return directory_.fd();
  }
  try {
    directory_ = base::open_beneath(batch_.fd(), parent, O_RDONLY | O_DIRECTORY);
  } catch (const base::Error& error) {
    if (error.sys_errno() != ENOENT) {
      throw;
    }
    directory_ = base::open_directory_at(batch_.fd(), ".");
    for (const auto& part : base::split(parent, '/')) {
      base::make_if_absent_at(directory_.fd(), part);
      directory_ = base::open_directory_at(directory_.fd(), part);
    }
  }
  directory_path_ = parent;
  return directory_.fd();
}

void Trash::take(int directory, const std::string& name, const std::string& path) {
  if (!keep_) {
    base::unlink_at(directory, name);
    return;
  }
  if (!batch_) {
    open_batch();
  }
  base::rename_at(directory, name, directory_for(path), name);
}

std::size_t purge_trash(const sstream::Repository& data, base::Time now, std::chrono::seconds keep,
                        const std::stop_token& stop) {
  if (!base::exists_at(data.private_dir(), trash_name)) {
    return 0;
  }
  std::size_t purged = 0;
  {
    const auto trash = base::open_directory_at(data.private_dir(), trash_name);
    for (const auto& batch : base::list_directory(trash.fd())) {
      const auto time = time_of(batch);
      if (time && *time + keep <= now && !stop.stop_requested()) {
        base::remove_tree_at(trash.fd(), batch);
        ++purged;
      }
    }
  }
  base::remove_directory_at(data.private_dir(), trash_name);
  return purged;
}

}  // namespace meph2
