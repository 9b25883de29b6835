#include "sstream/generation.h"

#include "base/beneath.h"
#include "base/error.h"
#include "base/strings.h"
#include "base/tree.h"
#include "io/digest.h"

namespace sstream {

namespace {

base::File open_live(const Repository& repository) {
  if (repository.streams() < 0 || !base::exists_at(repository.streams(), "v1")) {
    return {};
  }
  return base::open_file_at(repository.streams(), "v1", O_RDONLY | O_DIRECTORY);
}

std::string digest_of(int directory) {
  io::Digest all(io::Algorithm::sha256);
  if (directory >= 0) {
    for (const auto& name : documents_in(directory)) {
      auto file = base::open_beneath(directory, name, O_RDONLY);
      all.update(base::cat(name, " ", io::digest_file(io::Algorithm::sha256, file), "\n"));
    }
  }
  return all.hex();
}

}  // namespace

std::vector<std::string> documents_in(int directory) {
  std::vector<std::string> names;
  for (const auto& name : base::list_directory(directory)) {
    if (name.ends_with(".json") && !name.starts_with(".")) {
      names.push_back(name);
    }
  }
  return names;
}

std::string live_digest(const Repository& repository) {
  return digest_of(open_live(repository).fd());
}

Generation Generation::load(const Repository& repository) {
  Generation generation;
  generation.path_ = base::cat(repository.path(), "/streams/v1");
  generation.directory_ = open_live(repository);
  generation.digest_ = digest_of(generation.directory());
  if (generation.directory() < 0) {
    return generation;
  }
  for (const auto& name : documents_in(generation.directory())) {
    auto file = base::open_beneath(generation.directory(), name, O_RDONLY);
    file.set_name(base::cat(generation.path_, "/", name));
    if (name == "index.json") {
      generation.index_ = io::read_json(file);
      if (!generation.index_.is_object()) {
        throw base::Error(base::Errc::untrusted, base::cat(file.name(), ": not a JSON object"));
      }
      continue;
    }
    auto summary = summarise(file);
    if (!summary.is_stream()) {
      continue;
    }
    const auto content_id = summary.content_id;
    const auto [entry, added] =
        generation.streams_.emplace(content_id, StreamFile{name, std::move(summary)});
    if (!added) {
      throw base::Error(base::Errc::conflict,
                        base::cat(file.name(), ": content id ", content_id, " is that of ",
                                  entry->second.file, " as well; take one of the two away"));
    }
  }
  return generation;
}

std::optional<ProductTree> Generation::read_tree(const std::string& content_id) const {
  const auto found = streams_.find(content_id);
  if (found == streams_.end()) {
    return std::nullopt;
  }
  auto file = base::open_beneath(directory(), found->second.file, O_RDONLY);
  file.set_name(base::cat(path_, "/", found->second.file));
  ProductTree tree(io::read_json(file), file.name(), Aliases::kept);
  content_digests_.try_emplace(content_id, content_digest(tree));
  return tree;
}

std::string Generation::live_content_digest(const std::string& content_id) const {
  if (!content_digests_.contains(content_id)) {
    read_tree(content_id);
  }
  return content_digests_.at(content_id);
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
