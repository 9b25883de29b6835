#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sstream/format/pedigree.h"
#include "sstream/staging/spool.h"
#include "sstream/staging/staging.h"

namespace sstream {

/// A data file on a list of very many, and the item that first named it.
struct ListedFile {
  NewFile file;
  Pedigree item;
};

/// A list of data files of any length, in a file without a name: a few bytes of memory for each.
class FileSpool {
 public:
  /// `locate(path)`: where a file comes from, the places to be tried in turn.
  using Locate = std::function<std::vector<std::string>(const std::string& path)>;

  explicit FileSpool(Locate locate);

  /// Error(untrusted) when the path is on the list with another promise: one of the two items lies.
  /// Of equal ones the first counts.
  void add(const ListedFile& listed);

  std::size_t size() const { return places_.size(); }

  std::uint64_t bytes() const { return bytes_; }

  /// Files with content of their own, and their bytes: what has to be fetched.
  std::size_t contents() const { return groups_.size(); }

  std::uint64_t content_bytes() const { return content_bytes_; }

  const Locate& locate() const { return locate_; }

  /// In the order of add(), but files with equal content together.
  void for_each(const std::function<void(const ListedFile& listed)>& visit) const;

 private:
  struct Place {
    std::uint64_t group;  ///< offset of the first file with the same content
    std::uint64_t offset;
  };

  ListedFile read(std::uint64_t offset) const;

  Locate locate_;
  mutable Spool spool_;  ///< reading moves its window
  std::uint64_t bytes_ = 0;
  std::uint64_t content_bytes_ = 0;
  std::vector<Place> places_;
  std::unordered_map<std::uint64_t, std::uint64_t> promises_;  ///< of a path
  std::unordered_map<std::uint64_t, std::uint64_t> groups_;    ///< of a content
};

}  // namespace sstream
