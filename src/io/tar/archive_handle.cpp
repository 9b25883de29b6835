#include "io/tar/archive_handle.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/strings.h"

namespace io::libarchive {

namespace {

using base::Errc;
using base::Error;

}  // namespace

void damaged(archive* a, const base::File& in) {
  const char* text = library().error_string(a);
  throw Error(Errc::untrusted, base::cat("read ", in.name(), ": ",
                                         text != nullptr ? text : "damaged or of unknown format"));
}

Reader open_reader(base::File& in, bool as_tar) {
  Reader reader(library().read_new());
  auto* a = reader.get();
  library().read_support_filter_gzip(a);
  library().read_support_filter_bzip2(a);
  library().read_support_filter_xz(a);
  library().read_support_filter_lzma(a);
  library().read_support_filter_zstd(a);
  if (as_tar) {
    library().read_support_format_tar(a);
  } else {
    library().read_support_format_raw(a);
    library().read_support_format_empty(a);
  }
  in.seek(0);
  if (library().read_open_fd(a, in.fd(), buffer_size) != ARCHIVE_OK) {
    damaged(a, in);
  }
  return reader;
}

bool next_entry(Reader& reader, base::File& in, archive_entry*& entry) {
  base::failpoint::reads(in.name());
  const int code = library().read_next_header(reader.get(), &entry);
  if (code == ARCHIVE_EOF) {
    return false;
  }
  if (code < ARCHIVE_WARN) {
    damaged(reader.get(), in);
  }
  return true;
}

void require_end_of_tar(archive* a, base::File& in) {
  if (library().filter_count(a) > 1) {
    return;
  }
  std::array<char, 1024> tail{};
  const auto size = in.size();
  const bool whole = size >= tail.size() && in.read_at(tail, size - tail.size()) == tail.size() &&
                     std::all_of(tail.begin(), tail.end(), [](char byte) { return byte == '\0'; });
  if (!whole) {
    throw Error(Errc::untrusted,
                base::cat("read ", in.name(), ": truncated tar archive (no end of archive mark)"));
  }
}

}  // namespace io::libarchive
