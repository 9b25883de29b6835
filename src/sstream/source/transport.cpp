#include "sstream/source/transport.h"

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"

namespace sstream {

Transport::Transport(std::string base, const Context& context, SourceMemory* memory,
                     std::vector<std::string> mirrors)
    : base_(std::move(base)), context_(context), memory_(memory), mirrors_(std::move(mirrors)) {
  for (auto& mirror : mirrors_) {
    mirror += mirror.ends_with("/") ? "" : "/";
  }
}

std::optional<base::File> Transport::fetch(const std::string& path, std::uint64_t limit) {
  if (const auto found = ready_.find(path); found != ready_.end()) {
    auto file = std::move(found->second);
    ready_.erase(found);
    return file;
  }
  auto file = is_local() ? fetch_local(path, limit) : fetch_remote(path, limit);
  if (file) {
    file->seek(0);
  }
  return file;
}

std::optional<base::File> Transport::fetch_local(const std::string& path, std::uint64_t limit) {
  const auto where = locate(path);
  if (!base::exists_at(AT_FDCWD, where)) {
    return std::nullopt;
  }
  auto file = base::open_file(where, O_RDONLY);
  if (file.size() > limit) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(where, ": larger than ", base::human_bytes(limit)));
  }
  keep(path, file, {}, {});
  return file;
}

std::optional<base::File> Transport::fetch_remote(const std::string& path, std::uint64_t limit) {
  auto urls = locate_all(path);
  auto file = base::unnamed_file(urls.front());
  std::optional<Original> known;
  io::Request request;
  request.url = urls.front();
  request.mirrors.assign(urls.begin() + 1, urls.end());
  request.max_bytes = limit;
  request.save_to = &file;
  if (memory_ != nullptr && memory_->keeps_originals()) {
    known = memory_->original(path);
    if (known) {
      request.known_etag = known->etag;
      request.known_date = known->last_modified;
    }
  }
  const auto answer = context_.http.get(request, context_.stop);
  if (!answer) {
    return std::nullopt;
  }
  if (answer->not_modified && known) {
    unchanged_.insert(path);
    known->file.set_name(urls.front());
    return std::move(known->file);
  }
  keep(path, file, answer->etag, answer->strong_date);
  return file;
}

/// For the memory, where it keeps what was fetched.
void Transport::keep(const std::string& path, const base::File& file, std::string etag,
                     std::string last_modified) {
  if (memory_ == nullptr || !memory_->keeps_originals()) {
    return;
  }
  if (memory_->keep_original(path,
                             {base::duplicate(file), std::move(etag), std::move(last_modified)})) {
    unchanged_.insert(path);
  }
}

bool Transport::unchanged(const std::string& path, std::uint64_t limit) {
  if (auto file = fetch(path, limit)) {
    ready_[path] = std::move(*file);
  }
  return was_unchanged(path);
}

std::string Transport::locate(const std::string& path) const {
  base::require_safe_path(path);
  return base_ + (is_local() ? path : base::percent_encode_path(path));
}

std::vector<std::string> Transport::locate_all(const std::string& path) const {
  std::vector<std::string> places = {locate(path)};
  for (const auto& mirror : mirrors_) {
    places.push_back(mirror + (io::is_http_url(mirror) ? base::percent_encode_path(path) : path));
  }
  return places;
}

}  // namespace sstream
