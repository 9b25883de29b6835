#include "meph2/import/workshop.h"

#include "base/fs/file.h"
#include "base/strings.h"
#include "meph2/import/versions.h"

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
  return import::next_version(versions_there(repository_, live(content_id), product, parent),
                              day_of(context_.clock.now()), first);
}

}  // namespace meph2::import
