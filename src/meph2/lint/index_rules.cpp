#include "meph2/lint/profiles.h"
#include "meph2/lint/rules.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace meph2::rules {

using namespace profile;
using namespace sstream::lint;

namespace {

void maas_datatype(const Entry& entry, const Emit& emit) {
  const auto* type = entry.text("datatype");
  if (type != nullptr && *type != "image-ids" && *type != "image-downloads" &&
      *type != "release-notifications") {
    emit(entry.place("datatype"), in_quotes(*type) + " is neither image-ids nor image-downloads");
  }
}

Check notifications() {
  Check check;
  check.entry = [](const Entry& entry, const Emit& emit) {
    const auto* type = entry.text("datatype");
    if (type != nullptr && *type == "release-notifications") {
      emit(entry.place("datatype"), "an entry of notifications");
    }
  };
  check.head = [](const ProductsFile& file, const Emit& emit) {
    if (file.ftypes.contains("notifications")) {
      emit(file.place(), "holds notifications");
    }
  };
  return check;
}

/// Whether any entry is one that the consumer looks at at all.
void require_datatype(const IndexDocument& index, const char* wanted, const Emit& emit) {
  const auto* entries = index.entries();
  if (entries == nullptr || entries->empty()) {
    return;
  }
  for (const auto& entry : *entries) {
    const auto* type = text_of(member(entry, "datatype"));
    if (type != nullptr && *type == wanted) {
      return;
    }
  }
  emit(index.place().below("index"), std::string("no entry has the datatype ") + wanted);
}

void any_downloads(const IndexDocument& index, const Emit& emit) {
  require_datatype(index, "image-downloads", emit);
}

void any_ids(const IndexDocument& index, const Emit& emit) {
  require_datatype(index, "image-ids", emit);
}

void plain_index(const Stream& stream, const Emit& emit) {
  if (stream.index != nullptr && stream.index->is_signed) {
    emit(stream.place(), "there is no index.json beside it");
  }
}

void signed_index(const Stream& stream, const Emit& emit) {
  if (stream.is_url && stream.index != nullptr && !stream.has_signed_index) {
    emit(stream.place(), "there is no index.sjson beside it");
  }
}

}  // namespace

Rules indexes() {
  return {
      // docs/format.md 6.10, 6.12: what none of the others can look into
      {engine::index_structure,
       "the index has an object 'index'",
       {all},
       "Nothing is found: LXD and MAAS fail to decode, the Python tools end with a KeyError.",
       "`meph2-util sign DIR` regenerates the index."},
      // docs/format.md 6.1
      {"index-plain",
       "there is an index.json, also where there is an index.sjson",
       {lxd | incus, 0, simplestreams},
       "LXD and Incus read index.json only: the remote is empty.",
       "`meph2-util sign DIR` writes both.",
       plain_index},
      // docs/format.md 6.1
      {"index-signed",
       "a server has an index.sjson",
       {0, maas | maas_classic},
       "MAAS asks for it first and, unless told to skip verification, for nothing else.",
       "Sign the stream: `meph2-util sign DIR`.",
       signed_index},
      // docs/format.md 6.10
      {"index-format",
       "the index says format index:1.0",
       {maas_classic | juju | simplestreams},
       "TypeError: Unknown format; Juju refuses the index.",
       "`meph2-util sign DIR` regenerates the index.",
       check_index_format},
      // docs/format.md 6.11
      {"index-updated",
       "the index has 'updated': RFC 2822 with a numeric zone, or ISO 8601",
       {maas},
       "MAAS 3.8 refuses the source; a zone written as GMT is no numeric one.",
       "`date -u '+%a, %d %b %Y %H:%M:%S +0000'` in the C locale writes it; `meph2-util sign` "
       "does.",
       check_index_updated},
      // docs/format.md 6.11
      {"index-updated-type",
       "'updated' of the index is a string",
       {maas | lxd | incus},
       "A number is a TypeError in MAAS 3.8, and hides every image from LXD and Incus.",
       "Quote it.",
       check_index_updated_type},
      // docs/format.md 6.12, 6.13, 6.14, 6.15
      {"entry-structure",
       "index entries are objects, and their path, updated, format and datatype strings",
       {all},
       "The index is refused by readers with types (MAAS 3.8, LXD, Incus); others stop at the "
       "entry.",
       "`meph2-util sign DIR` regenerates the index.",
       check_entry_structure},
      // docs/format.md 6.12
      {"entry-path",
       "each index entry has a path",
       {maas | lxd | incus, maas_classic | juju | simplestreams},
       "MAAS 3.8 refuses the source, LXD fetches the directory; others pass the entry over "
       "silently.",
       "`meph2-util sign DIR` regenerates the index.",
       check_entry_path},
      // docs/format.md 6.12, 6.41
      {"entry-path-unsafe",
       "the path of an entry is relative, below the stream, without '.' and '..'",
       {all},
       "The Python tools stop with a TypeError, MAAS asks another place of the server.",
       "Products files belong in streams/v1/.",
       check_entry_path_unsafe},
      // docs/format.md 6.4
      {"entry-path-suffix",
       "index.json names .json files, index.sjson names .sjson files",
       {maas | maas_classic | juju, simplestreams},
       "A reader that verifies wants every document signed in the same way: the source is refused.",
       "`meph2-util sign DIR` writes index.sjson with the paths changed.",
       check_entry_path_suffix},
      // docs/format.md 6.12
      {engine::products_missing,
       "each products file that the index names is there",
       {all},
       "One file that is not there (404) makes the whole stream unreadable for MAAS, LXD and "
       "Incus.",
       "`meph2-util sign DIR` takes it out of the index; or publish the file."},
      // docs/format.md 6.13
      {"entry-updated",
       "each index entry has 'updated', as the index itself",
       {maas},
       "MAAS 3.8 refuses the source.",
       "`meph2-util sign DIR` regenerates the index.",
       check_entry_updated},
      // docs/format.md 6.14
      {"entry-format",
       "each index entry says format products:1.0",
       {maas_classic, simplestreams},
       "The entry is silently skipped: its images are never offered, or mirrored as a mere file.",
       "`meph2-util sign DIR` regenerates the index.",
       check_entry_format},
      // docs/format.md 6.15
      {"entry-datatype",
       "the datatype of an entry is image-ids or image-downloads",
       {maas},
       "MAAS 3.8 cannot read the index at all.",
       "Set the products file's datatype, then `meph2-util sign DIR`.",
       maas_datatype},
      // docs/format.md 6.15
      {"index-no-downloads",
       "some entry has the datatype image-downloads",
       {0, lxd | incus},
       "The remote is empty: LXD and Incus look at no other entries.",
       "Set the products file's datatype, then `meph2-util sign DIR`.",
       any_downloads},
      // docs/format.md 6.15
      {"index-no-image-ids",
       "some entry has the datatype image-ids",
       {0, juju},
       "'no image metadata found': Juju looks at no other entries.",
       "Publish image ids; downloads are of no use to Juju.",
       any_ids},
      // docs/format.md 6.16
      {"entry-products",
       "each index entry lists its products",
       {maas | lxd | incus, maas_classic | juju | simplestreams},
       "MAAS 3.8 refuses the source where the list is missing; LXD and Incus skip an entry whose "
       "list is empty, so that its images are missing without a word.",
       "`meph2-util sign DIR` regenerates the index.",
       check_entry_products},
      // docs/format.md 6.16
      {"entry-products-differ",
       "the list of products is that of the products file",
       {juju, maas | maas_classic | lxd | incus | simplestreams},
       "Juju finds a product by this list only.",
       "`meph2-util sign DIR` regenerates the index.",
       check_entry_products_differ},
      // docs/format.md 6.17
      {"products-basename",
       "no two products files have the same name in different directories",
       {incus, lxd},
       "Incus caches them under their last component for an hour: one is taken for the other.",
       "Give each its own name, best its content id.",
       check_products_basename},
      // docs/format.md 6.19
      {"maas-notifications",
       "no notifications in the index",
       {maas},
       "MAAS 3.8 cannot read the index, or the source: older releases showed a banner.",
       "Publish notifications in an index of their own, for MAAS up to 3.7.",
       notifications},
      // docs/format.md 6.20
      {"content-id-differs",
       "a products file has the content id that the index lists it under",
       {0, all},
       "Tools that keep their state by content id (this one, sstream-mirror) refuse or mix up the "
       "two.",
       "`meph2-util sign DIR` regenerates the index.",
       check_content_id_differs},
  };
}

}  // namespace meph2::rules
