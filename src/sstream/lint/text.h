#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/fs/file.h"
#include "sstream/lint/report.h"

namespace sstream::lint {

/// What a document's bytes say before anybody parses it.
struct TextFacts {
  bool byte_order_mark = false;
  std::uint64_t foreign_bytes = 0;  ///< not ASCII
  std::uint64_t foreign_line = 0;   ///< of the first of them
};

TextFacts text_facts(base::File& file);

void report_text(const TextFacts& facts, const std::string& name, Report& report);

/// Files a parse error (of io::visit_json) under the rule that it breaks.
void report_syntax(const base::Error& error, base::File& file, const std::string& name,
                   Report& report);

}  // namespace sstream::lint
