#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>

#include "base/process/stop.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "meph2/lint/profiles.h"
#include "meph2/lint/rules.h"
#include "sstream/format/container_image.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace meph2::rules {

using namespace profile;
using namespace sstream::lint;

namespace {

using sstream::container_roots;
using sstream::ContainerReader;
using sstream::incus_reader;
using sstream::lxd_reader;

/// LXD and Incus look for their own items, and do not see those of the other.
constexpr std::array<std::pair<const ContainerReader*, Profiles>, 2> readers = {
    {{&lxd_reader, lxd}, {&incus_reader, incus}}};

bool is_read(const Version& version) {
  return containers_read(*version.product->file);
}

const Item* with_ftype(const Version& version, std::string_view ftype) {
  for (const auto& item : version) {
    const auto* text = item.text("ftype");
    if (text != nullptr && *text == ftype) {
      return &item;
    }
  }
  return nullptr;
}

bool has_root(const Version& version) {
  return std::any_of(container_roots.begin(), container_roots.end(),
                     [&](const auto& root) { return with_ftype(version, root.ftype); });
}

bool has_unified(const Version& version) {
  return with_ftype(version, lxd_reader.unified) || with_ftype(version, incus_reader.unified);
}

void require_metadata(const Version& version, const ContainerReader& reader, const Emit& emit) {
  if (is_read(version) && version.item_count > 0 && !with_ftype(version, reader.metadata) &&
      !with_ftype(version, reader.unified)) {
    emit(version.place(), base::cat("has no item with ftype ", reader.metadata));
  }
}

/// sha256 of both files, one after the other; nullopt where one is not there.
std::optional<std::string> fingerprint_of(const ProductsFile& file, const Item& metadata,
                                          const Item& image) {
  io::Digest digest(io::Algorithm::sha256);
  for (const auto* item : {&metadata, &image}) {
    const auto* path = item->text("path");
    auto data = path != nullptr ? file.open_data(*path) : std::nullopt;
    if (!data) {
      return std::nullopt;
    }
    std::vector<char> buffer(1U << 20U);
    while (const auto got = data->read(buffer)) {
      base::check_stop(file.stop);
      digest.update({buffer.data(), got});
    }
  }
  return digest.hex();
}

void lxd_metadata_item(const Version& version, const Emit& emit) {
  require_metadata(version, lxd_reader, emit);
}

void incus_metadata_item(const Version& version, const Emit& emit) {
  require_metadata(version, incus_reader, emit);
}

void lxd_root_item(const Version& version, const Emit& emit) {
  if (is_read(version) && version.item_count > 0 && !has_root(version) && !has_unified(version)) {
    emit(version.place(), "has no root file system (squashfs, root.tar.xz, disk-kvm.img, ...)");
  }
}

void lxd_combined(const Version& version, const Emit& emit) {
  for (const auto& [reader, profile] : readers) {
    const auto* metadata = with_ftype(version, reader->metadata);
    if (!is_read(version) || metadata == nullptr) {
      continue;
    }
    for (const auto& root : container_roots) {
      const bool held = metadata->tags.find(root.keys[0]) != nullptr ||
                        (root.keys[1] != nullptr && metadata->tags.find(root.keys[1]) != nullptr);
      if (with_ftype(version, root.ftype) != nullptr && !held) {
        emit(metadata->place(), base::cat("'", root.keys[0], "' is missing"), profile);
      }
    }
  }
}

void lxd_combined_form(const Item& item, const Emit& emit) {
  for (const auto& [key, value] : item.tags) {
    const bool combined = key.starts_with("combined_") && key.ends_with("sha256");
    if (combined && containers_read(*item.version->product->file) &&
        (!value.is_string() || !is_sha256(value.get_ref<const std::string&>()))) {
      emit(item.place(key), "is not 64 lower-case hexadecimal digits");
    }
  }
}

void lxd_combined_content(const Version& version, const Emit& emit) {
  const auto& file = *version.product->file;
  if (!is_read(version) || !file.read_data || !file.open_data) {
    return;
  }
  for (const auto& [reader, profile] : readers) {
    const auto* metadata = with_ftype(version, reader->metadata);
    for (const auto& root : container_roots) {
      const auto* image = with_ftype(version, root.ftype);
      const auto real = metadata != nullptr && image != nullptr
                            ? fingerprint_of(file, *metadata, *image)
                            : std::nullopt;
      for (const char* key : root.keys) {
        const auto* said = real && key != nullptr ? metadata->tags.text(key) : nullptr;
        if (said != nullptr && *said != *real) {
          emit(metadata->place(key), base::cat("is not that of the files, ", *real), profile);
        }
      }
    }
  }
}

Check lxd_fingerprints() {
  auto owners = std::make_shared<std::map<std::string, std::string>>();
  Check check;
  check.item = [owners](const Item& item, const Emit& emit) {
    const auto* ftype = item.text("ftype");
    if (ftype == nullptr || !containers_read(*item.version->product->file)) {
      return;
    }
    for (const auto& [reader, profile] : readers) {
      const bool unified = *ftype == reader->unified;
      if (!unified && *ftype != reader->metadata) {
        continue;
      }
      for (const auto& [key, value] : item.tags) {
        const bool counts =
            unified ? key == "sha256" : key.starts_with("combined_") && key.ends_with("sha256");
        if (!counts || !value.is_string()) {
          continue;
        }
        const auto owner = base::cat(item.version->product->name, " ", item.version->name);
        const auto [at, added] = owners->emplace(
            base::cat(reader->metadata, value.get_ref<const std::string&>()), owner);
        if (!added && at->second != owner) {
          emit(item.place(key), base::cat("is that of ", in_quotes(at->second), " as well"),
               profile);
        }
      }
    }
  };
  return check;
}

Check lxd_delta_base() {
  // Bases may come behind their deltas.
  struct Delta {
    std::string version;
    std::string item;
    std::string base;
  };

  auto deltas = std::make_shared<std::vector<Delta>>();
  Check check;
  check.item = [deltas](const Item& item, const Emit&) {
    if (const auto* base = item.text("delta_base")) {
      deltas->push_back({item.version->name, item.name, *base});
    }
  };
  check.product = [deltas](const Product& product, const Emit& emit) {
    for (const auto& delta : *deltas) {
      const auto& names = product.versions;
      if (std::find(names.begin(), names.end(), delta.base) == names.end()) {
        emit(Place(product.file->file, {"products", product.name, "versions", delta.version,
                                        "items", delta.item, "delta_base"}),
             base::cat("there is no version ", in_quotes(delta.base)));
      }
    }
    deltas->clear();
  };
  return check;
}

void incus_vm_delta(const Item& item, const Emit& emit) {
  const auto* ftype = item.text("ftype");
  if (ftype != nullptr && *ftype == "disk-kvm.img.vcdiff") {
    emit(item.place("ftype"), "a delta of a virtual machine");
  }
}

}  // namespace

Rules container_images() {
  return {
      // docs/format.md 6.45
      {"lxd-metadata-item",
       "each version has an item with ftype lxd.tar.xz (or lxd_combined.tar.gz)",
       {lxd},
       "The image is missing without a word: LXD does not read incus.tar.xz.",
       "Publish the metadata tarball under both ftypes; they may share one file.",
       lxd_metadata_item},
      // docs/format.md 6.45
      {"incus-metadata-item",
       "each version has an item with ftype incus.tar.xz (or incus_combined.tar.gz)",
       {incus},
       "The image is missing without a word: Incus does not read lxd.tar.xz.",
       "Publish the metadata tarball under both ftypes; they may share one file.",
       incus_metadata_item},
      // docs/format.md 6.45
      {"image-root-item",
       "each version has a root file system",
       {lxd | incus},
       "The image is missing without a word.",
       "Add an item with ftype squashfs, root.tar.xz or disk-kvm.img.",
       lxd_root_item},
      // docs/format.md 6.46
      {"combined-fingerprint",
       "the metadata item has the combined fingerprint of each root file system",
       {lxd | incus},
       "The image is not offered.",
       "combined_squashfs_sha256 is sha256 of lxd.tar.xz followed by the squashfs; likewise "
       "combined_rootxz_sha256 and combined_disk-kvm-img_sha256.",
       lxd_combined},
      // docs/format.md 6.46
      {"combined-fingerprint-form",
       "combined fingerprints are 64 lower-case hexadecimal digits",
       {lxd | incus},
       "The image is listed, and its download fails.",
       "Write it in lower case.",
       lxd_combined_form},
      // docs/format.md 6.46
      {"combined-fingerprint-content",
       "combined fingerprints are those of the files (looked at with --data)",
       {lxd | incus},
       "The image is listed, and its download fails.",
       "sha256 of lxd.tar.xz (incus.tar.xz) followed by the root file system.",
       lxd_combined_content},
      // docs/format.md 6.47
      {"fingerprint-unique",
       "no two images have the same fingerprint",
       {lxd | incus},
       "'More than one match for the provided partial fingerprint': neither can be used.",
       "Do not publish an image again under a new serial when nothing has changed.",
       lxd_fingerprints},
      // docs/format.md 6.50
      {"delta-base",
       "the version that a delta builds on is there",
       {0, lxd | incus},
       "The delta is ignored: it only takes space.",
       "Take deltas out together with the version that they build on.",
       lxd_delta_base},
      // docs/format.md 6.50
      {"incus-vm-delta",
       "no deltas of virtual machines for Incus",
       {0, incus},
       "A host that has the container image of the base version applies the delta to that: the "
       "download fails.",
       "Leave disk-kvm.img.vcdiff out.",
       incus_vm_delta},
  };
}

}  // namespace meph2::rules
