#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/json/json_fwd.h"
#include "sstream/repository/repository.h"

namespace sstream {

/// A version that has to stay, whatever the retention says; in .data/.sstream/holds.json.
struct Hold {
  std::string product;
  std::string version;
  std::string reason;
  std::string by;  ///< who asked for it
  base::Time since{};
  std::optional<base::Time> until;  ///< nullopt: until somebody takes it back
  std::vector<std::string>
      paths;  ///< the version's files when it was held: they outlive its metadata

  bool active(base::Time now) const { return !until || now < *until; }
};

/// The holds of a repository.
class Holds {
 public:
  /// None where there is no such file; Error(failed) for one that cannot be read: nobody may take a
  /// damaged list for an empty one.
  static Holds load(const Repository& repository);

  const std::vector<Hold>& all() const { return holds_; }

  /// The active hold of a version; nullptr without one.
  const Hold* find(const std::string& product, const std::string& version, base::Time now) const;

  /// Replaces a hold of the same version.
  void add(Hold hold);

  /// false where there was none.
  bool remove(const std::string& product, const std::string& version);

  /// To be called under commit.lock.
  void save(const Repository& repository) const;

  /// Data files of active holds.
  void for_each_path(base::Time now,
                     const std::function<void(const std::string& path)>& visit) const;

 private:
  std::vector<Hold> holds_;  ///< by product and version
};

/// The object that --json, --report and the file itself show of a hold.
io::Json json_of(const Hold& hold);

}  // namespace sstream
