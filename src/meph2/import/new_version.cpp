#include "meph2/import/new_version.h"

#include <map>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/digest.h"

namespace meph2::import {

using base::Errc;
using base::Error;
using sstream::ProductTree;

void NewVersion::add(const std::string& name, const std::string& path, io::Json tags,
                     const sstream::Checksums& sums, const std::string& origin) {
  tags["path"] = path;
  tags["sha256"] = sums.sha256;
  tags["size"] = sums.size;
  items[name] = std::move(tags);
  sstream::NewFile file;
  file.path = path;
  file.expected = sums;
  file.origin = origin;
  files.push_back(std::move(file));
}

sstream::Checksums sums_of(const std::string& path, const std::stop_token& stop) {
  auto file = base::open_file(path, O_RDONLY);
  if (!S_ISREG(file.status().st_mode)) {
    throw Error(Errc::failed, base::cat("read ", path, ": is no regular file"));
  }
  sstream::Checksums sums;
  sums.sha256 = io::digest_file(io::Algorithm::sha256, file, &sums.size, stop);
  if (sums.size == 0) {
    throw Error(Errc::failed, base::cat("read ", path, ": is empty"));
  }
  return sums;
}

sstream::Checksums write_file(const std::string& path, std::string_view content) {
  auto file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  file.write(content);
  file.close();
  sstream::Checksums sums;
  sums.size = content.size();
  sums.sha256 = io::digest_hex(io::Algorithm::sha256, content);
  return sums;
}

std::vector<std::string> versions_there(const std::string& repository, const ProductTree* live,
                                        const std::string& product, const std::string& parent) {
  std::vector<std::string> names;
  if (live != nullptr) {
    names = live->versions(product);
  }
  const auto directory = base::cat(repository, "/", parent);
  if (base::exists_at(AT_FDCWD, directory)) {
    const auto on_disk = base::list_directory(directory);
    names.insert(names.end(), on_disk.begin(), on_disk.end());
  }
  return names;
}

sstream::Plan plan_versions(const std::vector<NewVersion>& versions,
                            const sstream::Generation& live) {
  std::map<std::string, ProductTree> trees;
  sstream::Plan plan;
  for (const auto& version : versions) {
    if (version.only_planned) {
      continue;
    }
    auto found = trees.find(version.content_id);
    if (found == trees.end()) {
      auto tree = live.read_tree(version.content_id);
      found = trees
                  .emplace(version.content_id,
                           tree ? std::move(*tree)
                                : ProductTree::make(version.content_id, version.datatype))
                  .first;
    }
    auto& tree = found->second;
    if (tree.version(version.product, version.version) != nullptr) {
      throw Error(Errc::conflict, base::cat("add ", version.product, "/", version.version,
                                            ": somebody has published it meanwhile; run again"));
    }
    // As a version of its own tree, so that tags of the product that differ stay with their
    // versions.
    auto built = ProductTree::make(version.content_id, version.datatype);
    built.set({version.product, {}, {}}, version.product_tags);
    for (const auto& [name, item] : version.items.items()) {
      built.set({version.product, version.version, name}, item);
    }
    sstream::graft_version(built, version.product, version.version, tree,
                           [](const sstream::Item&) { return true; });
    plan.files.add(version.files);
  }
  for (auto& entry : trees) {
    add_stream(std::move(entry.second), plan);
  }
  return plan;
}

AddedItems items_of(const std::vector<NewVersion>& versions) {
  AddedItems items;
  for (const auto& version : versions) {
    for (const auto& [name, item] : version.items.items()) {
      items.emplace_back(sstream::Pedigree{version.product, version.version, name},
                         item.value("path", std::string()));
    }
  }
  return items;
}

}  // namespace meph2::import
