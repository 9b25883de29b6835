#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sstream/janitor/named_paths.h"
#include "sstream/janitor/orphans.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// The streams that command line words mean: a directory with streams/v1, streams/v1 itself, a
/// document in it, or a pattern that matches such; documents of one stream together, an index
/// meaning all. Error(not_found) for what is not there, Error(usage) for what cannot be one.
std::vector<StreamSpec> resolve_streams(const std::vector<std::string>& words);

/// A stream that may name files of a data directory: the directory itself, or one that links to it
/// (a pool that several streams share), holds it or lies in it.
class StreamUse {
 public:
  /// `data` is the data directory, open for as long as this lives.
  StreamUse(StreamSpec spec, Access access, int data);

  const StreamSpec& spec() const { return spec_; }

  const Repository& repository() const { return *repository_; }

  /// What `path` of this stream may be called in the data directory: by its text, as the
  /// established tools take it, and by where it really lies. One name too many keeps a file, one
  /// too few loses it.
  void for_each_name(std::string_view path,
                     const std::function<void(std::string_view name)>& visit) const;

 private:
  /// The directory `fd`, seen from the data directory.
  struct Relation {
    bool same = false;
    std::string prefix;  ///< of names, where it lies in the data directory
    std::string strip;   ///< from names, where the data directory lies in it
  };

  Relation relation_of(int fd) const;

  StreamSpec spec_;
  std::unique_ptr<Repository> repository_;
  int data_;
  mutable std::map<int, Relation> relations_;
};

/// Visits every name in the data directory that the live generations of the streams, their kept
/// generations (as policy.kept says) and their active holds name. `generation` is empty but for
/// what only a kept generation may name.
using VisitName =
    std::function<void(const StreamUse& use, std::string_view name, std::string_view generation)>;
void for_each_name(const std::vector<StreamUse>& uses, const ReferencePolicy& policy,
                   base::Time now, const VisitName& visit);

}  // namespace sstream
