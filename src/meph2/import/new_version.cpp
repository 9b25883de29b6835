#include "meph2/import/new_version.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/strings.h"
#include "io/hash/digest.h"

namespace meph2::import {

using base::Errc;
using base::Error;
using sstream::ProductTree;

namespace {

constexpr std::size_t day_digits = 8;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string next_number(std::string number) {
  for (auto digit = number.rbegin(); digit != number.rend(); ++digit) {
    if (*digit != '9') {
      ++*digit;
      std::fill(number.rbegin(), digit, '0');
      return number;
    }
  }
  return number + "0";
}

}  // namespace

void NewVersion::add(const std::string& name, const std::string& path, io::Json tags,
                     const sstream::Checksums& sums, const std::string& origin) {
  tags["path"] = path;
  tags["sha256"] = sums.sha256;
  tags["size"] = sums.size;
  items[name] = std::move(tags);
  files.push_back({.path = path, .expected = sums, .origin = origin});
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

std::string next_version(const std::vector<std::string>& there, const std::string& day,
                         const std::string& first) {
  const auto newest = std::ranges::max_element(there);
  auto fresh = day + first;
  if (newest == there.end() || *newest < fresh) {
    return fresh;
  }
  const std::string_view name = *newest;
  if (name.size() < day_digits + 2 || !all_digits(name.substr(0, day_digits)) ||
      name[day_digits] != first.front() || !all_digits(name.substr(day_digits + 1))) {
    throw Error(Errc::conflict,
                base::cat("the newest version is called '", name,
                          "', which sorts after any that would be made today (", fresh, ")"));
  }
  return base::cat(name.substr(0, day_digits + 1),
                   next_number(std::string(name.substr(day_digits + 1))));
}

sstream::Plan plan_versions(const std::vector<NewVersion>& versions,
                            const sstream::Generation& live) {
  std::map<std::string, ProductTree> trees;
  sstream::Plan plan;
  for (const auto& version : versions) {
    if (version.only_planned) {
      continue;
    }
    const auto [place, is_new] = trees.try_emplace(
        version.content_id, ProductTree::make(version.content_id, version.datatype));
    auto& tree = place->second;
    if (auto live_tree = is_new ? live.read_tree(version.content_id) : std::nullopt) {
      tree = std::move(*live_tree);
    }
    if (tree.version(version.product, version.version) != nullptr) {
      throw Error(Errc::conflict, base::cat("add ", version.product, "/", version.version,
                                            ": somebody has published it meanwhile; run again"));
    }
    // As a version of its own tree, so that tags of the product that differ stay with their
    // versions.
    auto built = ProductTree::make(version.content_id, version.datatype);
    built.set({version.product}, version.product_tags);
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
