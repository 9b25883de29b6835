#include "meph2/import/workshop.h"

#include "base/fs/file.h"
#include "base/fs/tree.h"
#include "base/strings.h"

namespace meph2::import {

Workshop::Workshop(std::string repository, const sstream::PublishOptions& publish, bool force,
                   const sstream::Context& context)
    : repository_(std::move(repository)),
      dry_run_(publish.dry_run),
      force_(force),
      lock_timeout_(publish.lock_timeout),
      context_(context) {}

const sstream::ProductTree* Workshop::live(const std::string& content_id) {
  auto found = live_.find(content_id);
  if (found == live_.end()) {
    const sstream::Repository repository(repository_, sstream::Access::read, true);
    found = live_.emplace(content_id, sstream::Generation::load(repository).read_tree(content_id))
                .first;
  }
  return found->second ? &*found->second : nullptr;
}

std::string Workshop::newest_version(const std::string& content_id, const std::string& product) {
  const auto* stream = live(content_id);
  const auto versions = stream == nullptr ? std::vector<std::string>() : stream->versions(product);
  return versions.empty() ? std::string() : versions.front();
}

std::string Workshop::new_path(const std::string& name) {
  if (dry_run_ && !temporary_) {
    temporary_.emplace("meph2-import-");
  } else if (!dry_run_ && !space_) {
    space_.emplace(repository_, lock_timeout_, context_);
  }
  const auto& room = dry_run_ ? temporary_->path() : space_->path();
  const auto directory = base::cat(room, "/", files_++);
  base::make_directories(directory);
  return base::cat(directory, "/", name);
}

std::string Workshop::next_version(const std::string& content_id, const std::string& product,
                                   const std::string& parent, const std::string& first) {
  const auto* stream = live(content_id);
  auto names = stream == nullptr ? std::vector<std::string>() : stream->versions(product);
  const auto directory = base::cat(repository_, "/", parent);
  if (base::exists_at(AT_FDCWD, directory)) {
    const auto on_disk = base::list_directory(directory);
    names.insert(names.end(), on_disk.begin(), on_disk.end());
  }
  const auto day = base::format_compact(context_.clock.now()).substr(0, 8);  // YYYYMMDD
  return import::next_version(names, day, first);
}

}  // namespace meph2::import
