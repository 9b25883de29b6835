#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "sstream/format/version_reader.h"
#include "sstream/staging/spool.h"
#include "sstream/sync/hooks.h"

namespace sstream {

/// What the source of a sync has of one content, without the items that filter_item rejects: the
/// versions wait in a file without a name.
class SyncSource : public VersionVisitor {
 public:
  /// Checks every item's path, and asks about every item. Error(untrusted) as visit_versions().
  SyncSource(base::File& document, const Hooks& hooks);

  /// In the order of the document; those without versions last.
  const std::vector<std::string>& products() const { return products_; }

  /// Ascending.
  std::vector<std::string> versions(const std::string& product) const;

  bool has(const std::string& product) const { return tags_.contains(product); }

  /// A version's node as it stands in the document, without rejected items.
  Json version(const std::string& product, const std::string& version);

  /// Of the document, or of a thing in it; `version` and `item` may be null, and a product that the
  /// source lacks has the document's tags.
  HookSubject subject(const Pedigree& pedigree, const Json* version = nullptr,
                      const Json* item = nullptr) const;

  void head(const ProductTree& tags) override;
  void version(const Pedigree& version, const Json& product, const Json& node) override;

 private:
  const Hooks* hooks_;
  Spool spool_;
  Json top_;
  std::map<std::string, Json> tags_;  ///< by product
  std::map<std::string, std::map<std::string, Spool::Piece>> versions_;
  std::vector<std::string> products_;
};

/// The tags of a thing that hooks are told about: the levels' scalars, deeper ones instead of those
/// above, and the names of the pedigree as far as it goes.
Tags hook_tags(const Pedigree& pedigree, const Json& top, const Json& product,
               const Json* version = nullptr, const Json* item = nullptr);

}  // namespace sstream
