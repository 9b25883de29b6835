#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>

#include "base/process/stop.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "meph2/lint/container_checks.h"
#include "meph2/lint/profiles.h"
#include "sstream/format/container_image.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace meph2::rules {

using namespace sstream::lint;

bool containers_read(const ProductsFile& file) {
  const auto* datatype = file.text("datatype");
  if (file.listed != nullptr && file.listed->is_object()) {
    const auto at = file.listed->find("datatype");
    if (at != file.listed->end() && at->is_string()) {
      return *at == "image-downloads";
    }
  }
  return datatype != nullptr && *datatype == "image-downloads";
}

namespace {

using sstream::container_roots;
using sstream::ContainerReader;
using sstream::incus_reader;
using sstream::lxd_reader;

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
  return with_ftype(version, lxd_reader.unified) != nullptr ||
         with_ftype(version, incus_reader.unified) != nullptr;
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

}  // namespace

Check lxd_metadata_item() {
  return on_version([](const Version& version, const Emit& emit) {
    require_metadata(version, lxd_reader, emit);
  });
}

Check incus_metadata_item() {
  return on_version([](const Version& version, const Emit& emit) {
    require_metadata(version, incus_reader, emit);
  });
}

Check lxd_root_item() {
  return on_version([](const Version& version, const Emit& emit) {
    if (is_read(version) && version.item_count > 0 && !has_root(version) && !has_unified(version)) {
      emit(version.place(), "has no root file system (squashfs, root.tar.xz, disk-kvm.img, ...)");
    }
  });
}

Check lxd_combined() {
  return on_version([](const Version& version, const Emit& emit) {
    for (const auto* reader : {&lxd_reader, &incus_reader}) {
      const auto* metadata = with_ftype(version, reader->metadata);
      if (!is_read(version) || metadata == nullptr) {
        continue;
      }
      for (const auto& root : container_roots) {
        const bool held = metadata->tags.find(root.keys[0]) != nullptr ||
                          (root.keys[1] != nullptr && metadata->tags.find(root.keys[1]) != nullptr);
        if (with_ftype(version, root.ftype) != nullptr && !held) {
          emit(metadata->place(), base::cat("'", root.keys[0], "' is missing"),
               reader == &lxd_reader ? profile::lxd : profile::incus);
        }
      }
    }
  });
}

Check lxd_combined_form() {
  return on_item([](const Item& item, const Emit& emit) {
    for (const auto& [key, value] : item.tags) {
      const bool combined = key.starts_with("combined_") && key.ends_with("sha256");
      if (combined && containers_read(*item.version->product->file) &&
          (!value.is_string() || !is_sha256(value.get_ref<const std::string&>()))) {
        emit(item.place(key), "is not 64 lower-case hexadecimal digits");
      }
    }
  });
}

Check lxd_combined_content() {
  return on_version([](const Version& version, const Emit& emit) {
    const auto& file = *version.product->file;
    if (!is_read(version) || !file.read_data || !file.open_data) {
      return;
    }
    for (const auto* reader : {&lxd_reader, &incus_reader}) {
      const auto* metadata = with_ftype(version, reader->metadata);
      for (const auto& root : container_roots) {
        const auto* image = with_ftype(version, root.ftype);
        const auto real = metadata != nullptr && image != nullptr
                              ? fingerprint_of(file, *metadata, *image)
                              : std::nullopt;
        for (const char* key : root.keys) {
          const auto* said = real && key != nullptr ? metadata->tags.text(key) : nullptr;
          if (said != nullptr && *said != *real) {
            emit(metadata->place(key), base::cat("is not that of the files, ", *real),
                 reader == &lxd_reader ? profile::lxd : profile::incus);
          }
        }
      }
    }
  });
}

Check lxd_fingerprints() {
  // By reader: LXD does not see the items of Incus.
  auto owners = std::make_shared<std::map<std::string, std::string>>();
  Check check;
  check.item = [owners](const Item& item, const Emit& emit) {
    const auto* ftype = item.text("ftype");
    if (ftype == nullptr || !containers_read(*item.version->product->file)) {
      return;
    }
    for (const auto* reader : {&lxd_reader, &incus_reader}) {
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
               reader == &lxd_reader ? profile::lxd : profile::incus);
        }
      }
    }
  };
  return check;
}

}  // namespace meph2::rules
