#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "sstream/publish/new_stream.h"
#include "sstream/repository/generation.h"
#include "sstream/repository/signing.h"

namespace sstream {

/// A stream as the next index lists it.
struct ListedStream {
  std::string file;  ///< name in streams/v1
  StreamSummary summary;
  io::Json entry = {};  ///< keys of the index entry beside those of the summary; null: goes
};

/// The contents that an index lists, by content id.
using Listing = std::map<std::string, ListedStream>;

/// A generation being built in PARENT/.v1.<name>.new, out of the readers' sight. Abandoned (the
/// directory is removed) unless release() was called.
class NextGeneration {
 public:
  /// `parent`: DIR/streams; or any other directory, where it is not to become live. Stays open as
  /// long as this lives.
  NextGeneration(int parent, const Generation& live, const std::string& name);
  NextGeneration(const NextGeneration&) = delete;
  NextGeneration& operator=(const NextGeneration&) = delete;
  ~NextGeneration();

  /// Name of the directory below the parent.
  const std::string& name() const { return name_; }

  int directory() const { return directory_.fd(); }

  /// Takes over what did not change: every file of the live generation but `replaced` documents,
  /// their signatures and the index. Throws Stopped for a stop request.
  void carry_over(const std::vector<std::string>& replaced, const std::stop_token& stop);

  void write(const std::string& file, NewStream& content, const std::string& updated);
  /// A file as it is.
  void copy(const std::string& file, base::File& content);
  void write_index(const io::Json& index);

  /// The documents whose signatures are not there or not good; those of all others verify.
  std::vector<std::string> to_sign(const DocumentSigner& signer, const std::stop_token& stop) const;

  /// Reads the whole generation back as consumers do: the index names each of `listed` (by content
  /// id) and nothing else, each document parses and holds what was planned. Error(internal)
  /// otherwise.
  void check(const Listing& listed) const;

  void sync() const;

  void release() { name_.clear(); }

 private:
  int parent_;
  const Generation& live_;
  std::string name_;
  base::File directory_;
};

}  // namespace sstream
