#pragma once

#include <cstddef>

#include <archive.h>
#include <archive_entry.h>

#include "base/process/shared_library.h"

namespace io::libarchive {

constexpr std::size_t buffer_size = 1U << 20U;
/// Of what is written: a pipe of Linux holds as much.
constexpr std::size_t pipe_block = 65536;

/// The functions of libarchive that are called here, under their names without "archive_".
struct Library : base::SharedLibrary {
  Library() : SharedLibrary("libarchive.so.13", "reading archives") {}

  decltype(&::archive_entry_acl_clear) entry_acl_clear = symbol("archive_entry_acl_clear");
  decltype(&::archive_entry_acl_types) entry_acl_types = symbol("archive_entry_acl_types");
  decltype(&::archive_entry_filetype) entry_filetype = symbol("archive_entry_filetype");
  decltype(&::archive_entry_hardlink) entry_hardlink = symbol("archive_entry_hardlink");
  decltype(&::archive_entry_free) entry_free = symbol("archive_entry_free");
  decltype(&::archive_entry_mtime) entry_mtime = symbol("archive_entry_mtime");
  decltype(&::archive_entry_new) entry_new = symbol("archive_entry_new");
  decltype(&::archive_entry_pathname) entry_pathname = symbol("archive_entry_pathname");
  decltype(&::archive_entry_set_fflags) entry_set_fflags = symbol("archive_entry_set_fflags");
  decltype(&::archive_entry_set_filetype) entry_set_filetype = symbol("archive_entry_set_filetype");
  decltype(&::archive_entry_set_gname) entry_set_gname = symbol("archive_entry_set_gname");
  decltype(&::archive_entry_set_hardlink) entry_set_hardlink = symbol("archive_entry_set_hardlink");
  decltype(&::archive_entry_set_mtime) entry_set_mtime = symbol("archive_entry_set_mtime");
  decltype(&::archive_entry_set_pathname) entry_set_pathname = symbol("archive_entry_set_pathname");
  decltype(&::archive_entry_set_perm) entry_set_perm = symbol("archive_entry_set_perm");
  decltype(&::archive_entry_set_size) entry_set_size = symbol("archive_entry_set_size");
  decltype(&::archive_entry_set_uname) entry_set_uname = symbol("archive_entry_set_uname");
  decltype(&::archive_entry_size) entry_size = symbol("archive_entry_size");
  decltype(&::archive_entry_sparse_next) entry_sparse_next = symbol("archive_entry_sparse_next");
  decltype(&::archive_entry_sparse_reset) entry_sparse_reset = symbol("archive_entry_sparse_reset");
  decltype(&::archive_entry_symlink) entry_symlink = symbol("archive_entry_symlink");
  decltype(&::archive_entry_unset_size) entry_unset_size = symbol("archive_entry_unset_size");
  decltype(&::archive_entry_xattr_add_entry) entry_xattr_add_entry =
      symbol("archive_entry_xattr_add_entry");
  decltype(&::archive_entry_xattr_clear) entry_xattr_clear = symbol("archive_entry_xattr_clear");
  decltype(&::archive_entry_xattr_next) entry_xattr_next = symbol("archive_entry_xattr_next");
  decltype(&::archive_entry_xattr_reset) entry_xattr_reset = symbol("archive_entry_xattr_reset");
  decltype(&::archive_errno) error_number = symbol("archive_errno");
  decltype(&::archive_error_string) error_string = symbol("archive_error_string");
  decltype(&::archive_filter_count) filter_count = symbol("archive_filter_count");
  decltype(&::archive_read_data) read_data = symbol("archive_read_data");
  decltype(&::archive_read_data_block) read_data_block = symbol("archive_read_data_block");
  decltype(&::archive_read_free) read_free = symbol("archive_read_free");
  decltype(&::archive_read_new) read_new = symbol("archive_read_new");
  decltype(&::archive_read_next_header) read_next_header = symbol("archive_read_next_header");
  decltype(&::archive_read_open_fd) read_open_fd = symbol("archive_read_open_fd");
  decltype(&::archive_read_support_filter_bzip2) read_support_filter_bzip2 =
      symbol("archive_read_support_filter_bzip2");
  decltype(&::archive_read_support_filter_gzip) read_support_filter_gzip =
      symbol("archive_read_support_filter_gzip");
  decltype(&::archive_read_support_filter_lzma) read_support_filter_lzma =
      symbol("archive_read_support_filter_lzma");
  decltype(&::archive_read_support_filter_xz) read_support_filter_xz =
      symbol("archive_read_support_filter_xz");
  decltype(&::archive_read_support_filter_zstd) read_support_filter_zstd =
      symbol("archive_read_support_filter_zstd");
  decltype(&::archive_read_support_format_ar) read_support_format_ar =
      symbol("archive_read_support_format_ar");
  decltype(&::archive_read_support_format_empty) read_support_format_empty =
      symbol("archive_read_support_format_empty");
  decltype(&::archive_read_support_format_raw) read_support_format_raw =
      symbol("archive_read_support_format_raw");
  decltype(&::archive_read_support_format_tar) read_support_format_tar =
      symbol("archive_read_support_format_tar");
  decltype(&::archive_write_close) write_close = symbol("archive_write_close");
  decltype(&::archive_write_add_filter_xz) write_add_filter_xz =
      symbol("archive_write_add_filter_xz");
  decltype(&::archive_write_data) write_data = symbol("archive_write_data");
  decltype(&::archive_write_free) write_free = symbol("archive_write_free");
  decltype(&::archive_write_header) write_header = symbol("archive_write_header");
  decltype(&::archive_write_new) write_new = symbol("archive_write_new");
  decltype(&::archive_write_open_fd) write_open_fd = symbol("archive_write_open_fd");
  decltype(&::archive_write_set_bytes_in_last_block) write_set_bytes_in_last_block =
      symbol("archive_write_set_bytes_in_last_block");
  decltype(&::archive_write_set_bytes_per_block) write_set_bytes_per_block =
      symbol("archive_write_set_bytes_per_block");
  decltype(&::archive_write_set_format_pax_restricted) write_set_format_pax_restricted =
      symbol("archive_write_set_format_pax_restricted");
  decltype(&::archive_write_set_format_ustar) write_set_format_ustar =
      symbol("archive_write_set_format_ustar");
  decltype(&::archive_write_set_options) write_set_options = symbol("archive_write_set_options");
};

/// libarchive, loaded on first use. Throws Error(failed) where that cannot be done.
inline const Library& library() {
  static const Library library;
  return library;
}

}  // namespace io::libarchive
