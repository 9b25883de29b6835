#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "sstream/format/pedigree.h"
#include "sstream/staging/new_file.h"
#include "sstream/staging/spool.h"

namespace sstream {

/// A data file on a list, and the item that first named it, where the list was told.
struct FileEntry {
  NewFile file;
  Pedigree item = {};
};

/// When the files of a list get their final names.
enum class Naming : std::uint8_t {
  at_the_end,    ///< once all of them are staged: one that cannot be had leaves all names alone
  as_they_come,  ///< batch by batch: for very many, of which a failed run keeps what it has
};

/// A list of data files of any length: a long one waits in a file without a name, and takes a few
/// bytes of memory for each.
class FileList {
 public:
  FileList() = default;

  explicit FileList(Naming naming) : naming_(naming) {}

  /// A list of these.
  explicit FileList(const std::vector<NewFile>& files) : FileList() { add(files); }

  /// Of equal files with one path the first counts. Two with one path that promise different
  /// content are an Error: one of the two items lies. With `as_they_come` all that they promise has
  /// to be equal, else Error(untrusted) naming the items; with `at_the_end` the size and the
  /// strongest digest, else Error(conflict).
  void add(const FileEntry& entry);

  void add(const NewFile& file) { add(FileEntry{.file = file}); }

  void add(const std::vector<NewFile>& files);

  Naming naming() const { return naming_; }

  bool empty() const { return places_.empty(); }

  std::size_t size() const { return places_.size(); }

  std::uint64_t bytes() const { return bytes_; }

  /// How often a content has to be fetched: once for all files that have it. (With `as_they_come`
  /// those that replace others are fetched for themselves.)
  std::size_t contents() const { return groups_.size(); }

  std::uint64_t content_bytes() const { return content_bytes_; }

  /// In the order of add(), but files with equal content together; with `as_they_come` files that
  /// replace others last.
  void for_each(const std::function<void(const FileEntry& entry)>& visit) const;

  /// The same at once, of a list that is not long.
  std::vector<NewFile> files() const;

 private:
  struct Place {
    std::uint64_t group;  ///< offset of the first file with the same content; large where they wait
    std::uint64_t offset;
  };

  void require_same_promise(const FileEntry& first, const FileEntry& entry) const;
  FileEntry read(std::uint64_t offset) const;

  Naming naming_ = Naming::at_the_end;
  mutable Spool spool_{"list of files"};  ///< reading moves its window
  std::uint64_t bytes_ = 0;
  std::uint64_t content_bytes_ = 0;
  std::vector<Place> places_;
  std::unordered_map<std::uint64_t, std::uint64_t> promises_;  ///< of a path
  std::unordered_map<std::uint64_t, std::uint64_t> groups_;    ///< of a content
};

}  // namespace sstream
