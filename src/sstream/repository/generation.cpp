#include "sstream/repository/generation.h"

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "io/hash/fingerprint.h"
#include "sstream/format/version_reader.h"

namespace sstream {

std::vector<std::string> documents_in(int directory) {
  std::vector<std::string> names;
  for (const auto& name : base::list_directory(directory)) {
    if (name.ends_with(".json") && !name.starts_with(".")) {
      names.push_back(name);
    }
  }
  return names;
}

std::string metadata_digest(int directory) {
  std::string all;
  if (directory >= 0) {
    for (const auto& name : base::list_directory(directory)) {
      if (!name.starts_with(".") && base::is_file_at(directory, name)) {
        auto file = base::open_beneath(directory, name, O_RDONLY);
        all += base::cat(name, " ", io::fingerprint_file(file), "\n");
      }
    }
  }
  return io::fingerprint(all);
}

std::string live_digest(const Repository& repository) {
  return metadata_digest(repository.open_live().fd());
}

Generation Generation::load(const Repository& repository) {
  return read(repository.open_live());
}

Generation Generation::load_kept(const Repository& repository, const std::string& name) {
  auto directory = repository.open_kept(name);
  if (!directory) {
    const auto kept = repository.kept_generations();
    throw base::Error(base::Errc::not_found,
                      base::cat(repository.path(), ": generation ", name, " is not kept; there ",
                                kept.empty() ? "is none" : "are " + base::join(kept, ", ")));
  }
  return read(std::move(directory));
}

Generation Generation::read(base::File directory) {
  Generation generation;
  generation.directory_ = std::move(directory);
  generation.digest_ = metadata_digest(generation.directory());
  if (generation.directory() < 0) {
    return generation;
  }
  for (const auto& name : documents_in(generation.directory())) {
    auto file = generation.open(name);
    if (name == "index.json") {
      generation.index_ = io::read_json(file);
      if (!generation.index_.is_object()) {
        throw base::Error(base::Errc::untrusted, base::cat(file.name(), ": not a JSON object"));
      }
      continue;
    }
    const auto head = read_head(file);
    if (!head.is_stream()) {
      continue;
    }
    const auto [entry, added] =
        generation.streams_.emplace(head.content_id, StreamFile{name, head.format});
    if (!added) {
      throw base::Error(base::Errc::conflict,
                        base::cat(file.name(), ": content id ", head.content_id, " is that of ",
                                  entry->second.file, " as well; take one of the two away"));
    }
  }
  return generation;
}

base::File Generation::open(const std::string& name) const {
  auto file = base::open_beneath(directory(), name, O_RDONLY);
  file.set_name(base::cat(directory_.name(), "/", name));
  return file;
}

std::optional<base::File> Generation::open_stream(const std::string& content_id) const {
  const auto found = streams_.find(content_id);
  return found == streams_.end() ? std::nullopt : std::optional(open(found->second.file));
}

std::optional<ProductTree> Generation::read_tree(const std::string& content_id) const {
  const auto found = streams_.find(content_id);
  if (found == streams_.end()) {
    return std::nullopt;
  }
  auto file = open(found->second.file);
  ProductTree tree(io::read_json(file), file.name(), Aliases::kept);
  summaries_.try_emplace(content_id, summary_of(tree));
  return tree;
}

std::optional<ProductTree> Generation::read_versions(const std::string& content_id,
                                                     const std::set<std::string>& versions) const {
  const auto found = streams_.find(content_id);
  if (found == streams_.end()) {
    return std::nullopt;
  }
  auto file = open(found->second.file);
  return sstream::read_versions(file, versions);
}

const StreamSummary& Generation::summary(const std::string& content_id) const {
  const auto known = summaries_.find(content_id);
  if (known != summaries_.end()) {
    return known->second;
  }
  const auto found = streams_.find(content_id);
  if (found == streams_.end()) {
    throw base::Error(base::Errc::not_found,
                      base::cat(directory_.name(), ": no content ", content_id));
  }
  auto file = open(found->second.file);
  return summaries_.emplace(content_id, summarise(file)).first->second;
}

std::string Generation::live_content_digest(const std::string& content_id) const {
  return content_digest(*read_tree(content_id));
}

std::string content_digest(const ProductTree& tree) {
  io::Digest digest(io::Algorithm::sha256);
  for (const auto& [key, value] : tree.json().items()) {
    if (key != "updated") {
      digest.update(base::cat(key, "\n"));
      io::write_json(value, [&](std::string_view bytes) { digest.update(bytes); });
    }
  }
  return digest.hex();
}

}  // namespace sstream
