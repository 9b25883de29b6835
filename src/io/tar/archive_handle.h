#pragma once

#include <memory>

#include "base/fs/file.h"
#include "io/tar/archive_library.h"

namespace io::libarchive {

struct ReadClose {
  void operator()(archive* a) const { library().read_free(a); }
};

struct WriteClose {
  void operator()(archive* a) const { library().write_free(a); }
};

using Reader = std::unique_ptr<archive, ReadClose>;
using Writer = std::unique_ptr<archive, WriteClose>;

/// Throws Error(untrusted) "read NAME: " and what libarchive says.
[[noreturn]] void damaged(archive* a, const base::File& in);

/// Only the filters that images and packages come in: never libarchive's `program` filters.
Reader open_reader(base::File& in, bool as_tar);

/// false at the end. Warnings of libarchive here are about names that the locale cannot show; the
/// raw bytes are right.
bool next_entry(Reader& reader, base::File& in, archive_entry*& entry);

/// A plain tar that was cut between two entries looks whole to libarchive: the two blocks of zeros
/// at its end tell. (Compressed ones cannot be cut without the decompressor noticing.)
void require_end_of_tar(archive* a, base::File& in);

}  // namespace io::libarchive
