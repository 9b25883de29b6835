#pragma once

#include <memory>
#include <vector>

#include "sstream/repository/context.h"
#include "sstream/staging/file_spool.h"

namespace sstream {

/// What bringing in a long list of files would do.
struct BulkWork {
  std::unique_ptr<FileSpool> missing;
  std::unique_ptr<FileSpool> replaced;  ///< other content is there: damaged, or published anew
  std::size_t reused = 0;

  std::size_t size() const { return missing ? missing->size() + replaced->size() : 0; }

  std::uint64_t bytes() const { return missing ? missing->bytes() + replaced->bytes() : 0; }
};

/// find_missing() for a list of any length. Of `known` files only the size is looked at; a file
/// with other content is to be replaced where its entry says so, else an Error(conflict).
BulkWork find_missing(const Repository& repository, const FileSpool& files, const Context& context);

/// bring_in() for such a list, batch by batch, so that memory and open files stay bounded: what is
/// done of it when it fails stays done, under final names that no metadata names yet. Files that
/// replace others come last. A failure of single files does not keep others from being fetched,
/// unless nothing can be had; the first is thrown in the end.
void bring_in(const Repository& repository, const BulkWork& work, const Context& context);

}  // namespace sstream
