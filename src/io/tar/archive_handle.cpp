#include "io/tar/archive_handle.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/strings.h"
#include "io/tar/names.h"

namespace io::libarchive {

void damaged(const Reader& reader, const base::File& in) {
  const char* text = library().error_string(reader.get());
  throw base::Error(
      base::Errc::untrusted,
      base::cat("read ", in.name(), ": ", text != nullptr ? text : "damaged or of unknown format"));
}

void write_failed(const Writer& writer, std::string_view what) {
  const int code = library().error_number(writer.get());
  const char* text = library().error_string(writer.get());
  base::Error error(base::Errc::failed,
                    base::cat("write ", what, ": ", text != nullptr ? text : "unknown reason"));
  throw error.set_errno(code);
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
    damaged(reader, in);
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
    damaged(reader, in);
  }
  return true;
}

std::string entry_name(archive_entry* entry) {
  const char* raw = library().entry_pathname(entry);
  return normal_entry_name(raw != nullptr ? raw : "");
}

std::string read_data(Reader& reader, const base::File& in, std::size_t most) {
  std::string out(most, '\0');
  std::size_t filled = 0;
  while (filled < most) {
    const auto count = library().read_data(reader.get(), out.data() + filled, most - filled);
    if (count < 0) {
      damaged(reader, in);
    }
    if (count == 0) {
      break;
    }
    filled += static_cast<std::size_t>(count);
  }
  out.resize(filled);
  return out;
}

void require_end_of_tar(const Reader& reader, base::File& in) {
  if (library().filter_count(reader.get()) > 1) {
    return;
  }
  std::array<char, 1024> tail{};
  const auto size = in.size();
  const bool whole = size >= tail.size() && in.read_at(tail, size - tail.size()) == tail.size() &&
                     std::all_of(tail.begin(), tail.end(), [](char byte) { return byte == '\0'; });
  if (!whole) {
    throw base::Error(
        base::Errc::untrusted,
        base::cat("read ", in.name(), ": truncated tar archive (no end of archive mark)"));
  }
}

}  // namespace io::libarchive
