#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/json/json.h"
#include "meph2/apt/archive.h"
#include "sstream/repository/context.h"

namespace meph2::import {

/// A suite of an archive, and what a repository remembers of it
/// (DIR/.data/.sstream/archives/<id>.json): InRelease as it was, which is verified anew whenever it
/// is used, and of each index, by its digest, the packages that were looked up in it. So an archive
/// in which nothing is new costs one conditional request.
class RememberedArchive {
 public:
  /// `repository` need not exist yet. What cannot be read there is fetched again. Error(untrusted),
  /// beside AptArchive's own, for an InRelease that is older than the one that is remembered.
  RememberedArchive(const std::string& repository, const std::string& url, const std::string& suite,
                    const io::Keyring& keyring, const sstream::Context& context);

  const apt::AptArchive& archive() const { return *archive_; }

  /// The packages of these names; none where the suite has no such index.
  std::vector<apt::ArchivePackage> packages(const std::string& component, const std::string& arch,
                                            const std::set<std::string>& names);

  /// Keeps what is known now, where there is a repository to keep it in.
  void save() const;

 private:
  std::string repository_;
  std::string file_;
  std::string text_;  ///< as it is on disk
  io::Json memory_ = io::Json::object();
  io::Json before_ = io::Json::object();   ///< the indexes of earlier runs
  io::Json indexes_ = io::Json::object();  ///< used in this run
  std::unique_ptr<apt::AptArchive> archive_;
};

}  // namespace meph2::import
