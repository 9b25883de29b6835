#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sstream/lint/products_reader.h"
#include "sstream/lint/report.h"
#include "sstream/lint/stream_files.h"
#include "sstream/repository/context.h"

namespace sstream::lint {

struct Options {
  std::string where;      ///< a directory or URL above streams/v1
  std::string document;   ///< only this products file ("streams/v1/X.json"), without an index
  Profiles profiles = 0;  ///< 0: what `detect` says
  std::vector<std::string> keyrings;  ///< files; empty: those that the stream publishes
  std::size_t keep_per_rule = SIZE_MAX;
  bool files = true;  ///< look at the data files too
  bool data = false;  ///< and read them

  /// What a products file seems to be made for.
  std::function<Profiles(const std::string& content_id, const Survey& survey)> detect;

  /// The sort of product, from its tags and its first version; 0 where it is none.
  std::function<int(const Product& product, const Version& first)> kind_of;
};

struct Result {
  Report report;
  Profiles profiles = 0;
  bool trusted = true;  ///< false: a signature does not hold
};

/// Looks at a stream with the eyes of its consumers. What is wrong with the data is a finding and
/// never an exception; Error(not_found) only where there is no stream to look at at all.
Result lint(StreamFiles& files, const Rules& rules, const Options& options, const Context& context);

/// The checks of one products file alone, for whoever has no more than that (the gate of a
/// publication). `from` is read twice.
void lint_products(base::File& from, const Survey& known, ProductsFile& file, const Rules& rules,
                   const Options& options, Report& report);

}  // namespace sstream::lint
