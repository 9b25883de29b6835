#include "sstream/publish/exact.h"

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"

namespace sstream {

namespace {

constexpr std::string_view directory = "streams/v1/";

[[noreturn]] void refuse(const std::string& reason) {
  throw base::Error(base::Errc::untrusted, base::cat("index.json: ", reason));
}

ListedStream listed_of(ExactMetadata& metadata, const IndexEntry& entry) {
  const auto name = entry.path.substr(std::min(directory.size(), entry.path.size()));
  if (!entry.path.starts_with(directory) || name.find('/') != std::string::npos) {
    refuse(base::cat("names ", entry.path, ", which is not directly below streams/v1"));
  }
  const auto found = metadata.find(name);
  if (found == metadata.end()) {
    refuse(base::cat("names ", entry.path, ", which is not there"));
  }
  auto summary = summarise(found->second);
  if (summary.is_stream() && summary.content_id != entry.content_id) {
    refuse(base::cat("names ", entry.path, " as ", entry.content_id, ", but it is ",
                     summary.content_id));
  }
  return {name, std::move(summary)};
}

}  // namespace

Listing listing_of(ExactMetadata& metadata) {
  const auto found = metadata.find("index.json");
  if (found == metadata.end()) {
    refuse("is missing");
  }
  const StreamIndex index(io::read_json(found->second), "index.json");
  Listing listed;
  for (const auto& entry : index.entries()) {
    if (entry.path.empty()) {
      refuse(base::cat(entry.content_id, " has no path"));
    }
    listed[entry.content_id] = listed_of(metadata, entry);
  }
  return listed;
}

bool is_live(ExactMetadata& metadata, const Generation& live) {
  if (live.directory() < 0) {
    return false;
  }
  std::size_t names = 0;
  for (const auto& name : base::list_directory(live.directory())) {
    if (name.starts_with(".")) {
      continue;
    }
    const auto found = metadata.find(name);
    if (found == metadata.end()) {
      return false;
    }
    auto file = base::open_beneath(live.directory(), name, O_RDONLY);
    if (file.size() != found->second.size() ||
        io::fingerprint_file(file) != io::fingerprint_file(found->second)) {
      return false;
    }
    ++names;
  }
  return names == metadata.size();
}

}  // namespace sstream
