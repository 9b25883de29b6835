#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/fs/file.h"
#include "io/tar/archive_library.h"

namespace io::libarchive {

using Reader = std::unique_ptr<archive, base::FreedBy<library, &Library::read_free>>;
using Writer = std::unique_ptr<archive, base::FreedBy<library, &Library::write_free>>;
using Entry = std::unique_ptr<archive_entry, base::FreedBy<library, &Library::entry_free>>;

/// Throws Error(untrusted) "read NAME: " and what libarchive says.
[[noreturn]] void damaged(const Reader& reader, const base::File& in);

/// Throws Error(failed) "write WHAT: " and what libarchive says, with its errno.
[[noreturn]] void write_failed(const Writer& writer, std::string_view what);

/// Only the filters that images and packages come in: never libarchive's `program` filters.
Reader open_reader(base::File& in, bool as_tar);

/// false at the end. Warnings of libarchive here are about names that the locale cannot show; the
/// raw bytes are right.
bool next_entry(Reader& reader, base::File& in, archive_entry*& entry);

/// The name of an entry, normalised; see normal_entry_name().
std::string entry_name(archive_entry* entry);

/// The next `most` bytes of an entry's data, less where there are less.
std::string read_data(Reader& reader, const base::File& in, std::size_t most);

/// A plain tar that was cut between two entries looks whole to libarchive: the two blocks of zeros
/// at its end tell. (Compressed ones cannot be cut without the decompressor noticing.)
void require_end_of_tar(const Reader& reader, base::File& in);

}  // namespace io::libarchive
