#include "meph2/cloudimg/select.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/strings.h"
#include "sstream/format/work_plan.h"

namespace meph2 {

namespace {

using sstream::Item;
using sstream::ProductTree;

constexpr std::array<const char*, 3> image_items{"squashfs", "tar.gz", "root.tar.xz"};

/// The images of one release and arch, by version.
using Versions = std::map<std::string, CloudImage>;

/// Gathers what the sources offer, by "release/arch".
class Offer {
 public:
  Offer(const StreamConfig& config, const CloudImageFilter& filter, const LeftOut& left_out)
      : config_(config), filter_(filter), left_out_(left_out) {}

  void add(const ProductTree& source) {
    for (const auto& [name, product] : source.products().items()) {
      if (!name.starts_with(config_.source_product_prefix)) {
        continue;
      }
      for (const auto& version : source.versions(name)) {
        add_version(source, name, product, version);
      }
    }
  }

  const std::map<std::string, Versions>& images() const { return images_; }

 private:
  void add_version(const ProductTree& source, const std::string& name, const io::Json& product,
                   const std::string& version) {
    const auto& node = *source.version(name, version);
    const auto items = node.find("items");
    if (items == node.end()) {
      return;
    }
    for (const auto* kind : image_items) {
      for (const auto& [item_name, leaf] : items->items()) {
        const sstream::Pedigree id{name, version, item_name};
        const Item item(id, source.json(), product, node, leaf);
        if (item.tag("ftype") == kind) {
          add_image(item);
          return;  // of a version with a squashfs nothing else will do, even where a filter rejects
                   // it
        }
      }
    }
  }

  void add_image(const Item& item) {
    CloudImage image;
    image.release = item.tag("release").value_or("");
    image.arch = item.tag("arch").value_or("");
    image.version = item.pedigree().version;
    if (!filter_.arches.contains(image.arch) || !filter_.filters->matches(item) ||
        !supported(image)) {
      return;
    }
    const auto path = item.path();
    if (!path) {
      throw base::Error(base::Errc::untrusted, base::cat(item.pedigree().text(), ": has no path"));
    }
    image.path = *path;
    image.sums =
        base::with_context(item.pedigree().text(), [&] { return sstream::Checksums::of(item); });
    images_[base::cat(image.release, "/", image.arch)].emplace(image.version, image);
  }

  bool supported(const CloudImage& image) {
    if (!filter_.releases.contains(image.release)) {
      leave_out(
          base::cat("release '", image.release, "' is not configured, or not supported any more"),
          true);
      return false;
    }
    if (!config_.require_release(image.release).arches().contains(image.arch)) {
      leave_out(base::cat("arch '", image.arch, "' is not supported for release '", image.release,
                          "': ", config_.file, " has no kernels for it"),
                false);
      return false;
    }
    return true;
  }

  void leave_out(const std::string& reason, bool expected) {
    if (told_.insert(reason).second) {
      left_out_(reason, expected);
    }
  }

  const StreamConfig& config_;
  const CloudImageFilter& filter_;
  const LeftOut& left_out_;
  std::map<std::string, Versions> images_;
  std::set<std::string> told_;
};

std::vector<std::string> names_of(const Versions& versions) {
  std::vector<std::string> names;
  for (const auto& [name, image] : versions) {
    names.push_back(name);
  }
  return names;
}

}  // namespace

std::map<std::string, std::string> parse_rebuilds(const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> rebuilds;
  for (const auto& argument : arguments) {
    const auto parts = base::split(argument, ':');
    if (parts.size() != 2 || parts[0].empty() || parts[1].empty() || parts[0] == parts[1]) {
      throw base::Error(base::Errc::usage,
                        base::cat("--rebuild '", argument, "': expected YYYYMMDD:YYYYMMDD.N"));
    }
    rebuilds[parts[0]] = parts[1];
  }
  return rebuilds;
}

std::map<std::string, std::set<std::string>> versions_in(const ProductTree& target) {
  std::map<std::string, std::set<std::string>> found;
  for (const auto& [name, product] : target.products().items()) {
    for (const auto& version : target.versions(name)) {
      const auto& node = *target.version(name, version);
      const auto items = node.find("items");
      if (items == node.end() || items->empty()) {
        continue;
      }
      // Its tags are on the product, or else the same for all items of a version.
      const auto first = items->begin();
      const sstream::Pedigree id{name, version, first.key()};
      const Item item(id, target.json(), product, node, *first);
      const auto release = item.tag("release");
      if (release && item.tag("krel") == release) {
        found[base::cat(*release, "/", item.tag("arch").value_or(""))].insert(version);
      }
    }
  }
  return found;
}

std::vector<CloudImage> select_images(const std::vector<ProductTree>& sources,
                                      const ProductTree& target, const StreamConfig& config,
                                      const CloudImageFilter& filter, const LeftOut& left_out) {
  Offer offer(config, filter, left_out);
  for (const auto& source : sources) {
    offer.add(source);
  }
  const auto in_target = versions_in(target);
  std::vector<CloudImage> selected;
  for (const auto& [key, versions] : offer.images()) {
    const auto found = in_target.find(key);
    const auto have = found == in_target.end() ? std::set<std::string>() : found->second;
    std::vector<std::string> counting;  // versions that are to be built again do not
    std::ranges::copy_if(have, std::back_inserter(counting),
                         [&](const auto& version) { return !filter.rebuild.contains(version); });
    const auto work = sstream::resolve_work(names_of(versions), counting, filter.max, false);
    for (const auto& version : work.add) {
      auto image = versions.at(version);
      const auto rebuilt = filter.rebuild.find(version);
      image.target_version = rebuilt == filter.rebuild.end() ? version : rebuilt->second;
      if (have.contains(image.target_version)) {
        left_out(base::cat(image.name(), ": the target has it"), false);
        continue;
      }
      selected.push_back(std::move(image));
    }
  }
  return selected;
}

}  // namespace meph2
