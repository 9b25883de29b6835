#include "meph2/lint/profiles.h"
#include "meph2/lint/rules.h"
#include "sstream/lint/format_checks.h"

namespace meph2::rules {

using namespace profile;
using namespace sstream::lint;

Rules items() {
  return {
      // docs/format.md 6.39
      {"item-size-missing",
       "each item with a path has a size",
       {maas | maas_classic | simplestreams, lxd | incus},
       "MAAS 3.8 refuses the source; the Python tools refuse the file (Invalid size 'None'); LXD "
       "shows 0 bytes.",
       "Publish with `meph2-util`; by hand, `stat -c %s FILE`.",
       check_size_missing},
      // docs/format.md 6.39
      {"item-size-type",
       "sizes are integers",
       {lxd | incus | simplestreams | maas_classic, maas},
       "One size in quotes hides every image of the remote from LXD and Incus, and is a TypeError "
       "in sstream-mirror.",
       "Take the quotes away.",
       check_size_type},
      // docs/format.md 6.40
      {"item-sha256-missing",
       "each item with a path has a sha256",
       {all},
       "MAAS 3.8 refuses the source; others refuse or skip the file. md5 or sha512 do not stand "
       "in.",
       "Publish with `meph2-util`; by hand, `sha256sum FILE`.",
       check_sha256_missing},
      // docs/format.md 6.40
      {"item-sha256-form",
       "a sha256 is 64 lower-case hexadecimal digits",
       {all},
       "It is compared as text: an upper-case digest never matches, and MAAS fetches the file "
       "again and again for two hours.",
       "Write it in lower case.",
       check_sha256_form},
      // docs/format.md 6.41
      {"item-path-unsafe",
       "the path of an item is relative, below the stream, and no URL",
       {all},
       "MAAS asks another place or another host; the Python tools stop with a TypeError.",
       "Move the file below the stream; insert it with `meph2-util insert`.",
       check_path_unsafe},
      // docs/format.md 6.41
      {"item-path-chars",
       "paths are made of A-Za-z0-9._~+/- only",
       {maas | maas_classic | lxd | incus, juju | simplestreams},
       "Blanks and % are not quoted by MAAS, and %41 is decoded by Incus: 404.",
       "Rename the file: publish it under a new version.",
       check_path_chars},
      // docs/format.md 6.40, 6.51
      {"path-contents",
       "items that name one path promise the same content",
       {all},
       "One of them lies: its download fails for ever.",
       "Give different files different paths.",
       check_path_contents},
      // docs/format.md 6.42
      {"version-basenames",
       "the files of a version have different names, whatever their directories",
       {maas | maas_classic},
       "MAAS keeps them under their last component: one overwrites the other.",
       "Rename one of them.",
       check_basenames},
      // docs/format.md 6.12, 6.41
      {engine::file_missing,
       "every file that the metadata names is there",
       {all},
       "404: MAAS fails the selection, LXD the launch.",
       "`meph2-util verify --repair-from SOURCE` fetches it again; `meph2-util remove-version` "
       "takes it out of the metadata."},
      // docs/format.md 6.39
      {engine::file_size,
       "every file has the size that the metadata says",
       {maas | maas_classic | juju | simplestreams, lxd | incus},
       "MAAS: 'Downloaded file size does not match expected size', retried for two hours.",
       "`meph2-util verify --data` says which files are damaged, and repairs them."},
      // docs/format.md 6.51
      {engine::path_reused,
       "a published path never gets other content",
       {all},
       "Mirrors and caches serve a mix of old and new; sstream-mirror never refreshes the file.",
       "Publish the new content under a new version; `meph2-util rollback` takes this one back."},
      // docs/format.md 6.55
      {engine::orphan_file,
       "every file is named by the stream, or younger than the time of grace",
       {0, 0, all},
       "It only takes space.",
       "`meph2-util find-orphans` and `reap-orphans`."},
  };
}

}  // namespace meph2::rules
