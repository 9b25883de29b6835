#pragma once

#include <string>

#include "sstream/repository/context.h"
#include "sstream/repository/history.h"

namespace meph2 {

struct HistoryOptions {
  std::string target;  ///< data directory
  std::string action;  ///< only this verb; empty: all
};

/// A repository's publications, oldest first, and how they relate to what is there now.
struct HistoryResult {
  struct Row {
    sstream::HistoryEntry entry;
    bool live = false;
    bool kept = false;    ///< its metadata is still there: it can be rolled back to
    bool edited = false;  ///< something else had changed the metadata before this publication
  };

  std::vector<Row> rows;
  bool edited_since = false;  ///< something else changed the metadata after the last publication
  std::size_t unreadable = 0;
};

HistoryResult history(const HistoryOptions& options);

}  // namespace meph2
