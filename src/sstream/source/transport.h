#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "sstream/repository/context.h"
#include "sstream/source/source_memory.h"

namespace sstream {

/// Brings the files of a source, a directory or an http(s) URL, as they are: nobody has verified
/// them. What the memory kept of the source is not fetched again.
class Transport {
 public:
  /// `base`: the directory or URL above streams/v1, with its final slash. `mirrors`: other ones
  /// with the same files. `memory` may be null; context and memory are borrowed.
  Transport(std::string base, const Context& context, SourceMemory* memory,
            std::vector<std::string> mirrors);

  const std::string& base() const { return base_; }

  bool is_local() const { return !io::is_http_url(base_); }

  /// Local path or URL of a file. Error(untrusted) for a path that leads out.
  std::string locate(const std::string& path) const;

  /// The same, and then those at the other mirrors.
  std::vector<std::string> locate_all(const std::string& path) const;

  /// A file, at its start: a local one itself, else a copy that nobody can change. nullopt where
  /// there is none; Error(untrusted) for one of more than `limit` bytes.
  std::optional<base::File> fetch(const std::string& path, std::uint64_t limit);

  /// Whether a file is, byte for byte, what the memory's repository fetched last. It is fetched,
  /// for the next fetch() of it, and costs a conditional request where it is.
  bool unchanged(const std::string& path, std::uint64_t limit);

  /// What unchanged() would say of a file that was fetched.
  bool was_unchanged(const std::string& path) const { return unchanged_.contains(path); }

 private:
  std::optional<base::File> fetch_local(const std::string& path, std::uint64_t limit);
  std::optional<base::File> fetch_remote(const std::string& path, std::uint64_t limit);
  void keep(const std::string& path, const base::File& file, std::string etag,
            std::string last_modified);

  std::string base_;
  const Context& context_;
  SourceMemory* memory_;
  std::vector<std::string> mirrors_;         ///< each with its final slash
  std::map<std::string, base::File> ready_;  ///< fetched by unchanged(), not used yet
  std::set<std::string> unchanged_;          ///< paths that are as the memory knows them
};

}  // namespace sstream
