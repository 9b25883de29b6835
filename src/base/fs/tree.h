#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "base/fs/file.h"

namespace base {

/// The names in a directory, sorted by byte, without "." and "..".
std::vector<std::string> list_directory(int dirfd);
std::vector<std::string> list_directory(const std::string& path);

/// Depth first, sorted by name, one directory in memory at a time. `path` is relative to the root;
/// returning false for a directory keeps the walk out of it. Symlinks are reported and not
/// followed; other file systems are reported and not entered.
using Visit = std::function<bool(const std::string& path, const struct stat& status)>;
void walk_tree(int root, const Visit& visit);

enum class EntryKind { file, directory, symlink, other };

/// What walk_entries() met. Valid during the call.
struct Entry {
  const std::string& path;  ///< relative to the root
  const std::string& name;
  int dirfd;  ///< of the directory that it is in
  EntryKind kind;
};

/// Depth first, in the order of the directories, without asking for the status of each file: for
/// trees of very many files. `visit` returns false to keep the walk out of a directory. Symlinks
/// and other file systems as with walk_tree(); directories that vanish meanwhile are passed over.
void walk_entries(int root, const std::function<bool(const Entry& entry)>& visit);

/// Removes a directory and what it holds, never following a symlink, never leaving the file system.
/// Absent is fine.
void remove_tree(const std::string& path);
void remove_tree_at(int dirfd, const std::string& name);

enum class CopyMethod { reflink, hardlink, copy };

/// Makes `to` (which must not exist) have the content of `from`: shares blocks where the file
/// system can, else links when `allow_link`, else copies, holes kept. The result is fsynced unless
/// linked. A stop request ends it (Stopped), and leaves a part.
CopyMethod clone_file(File& from, int to_dir, const std::string& to, bool allow_link,
                      const std::stop_token& stop = {});

/// Copies what is in one directory into another: files cloned, symlinks as they are, directories
/// with all they hold; `skip(name)` leaves out entries of the top level. Other kinds of file are an
/// error.
void copy_tree(int from_dir, int to_dir, const std::function<bool(const std::string& name)>& skip);

}  // namespace base
