#pragma once

#include <string>

#include "base/error.h"
#include "base/fs/file.h"
#include "sstream/lint/report.h"

namespace sstream::lint {

/// What a document's bytes say before anybody parses it: whether they are ASCII.
void report_text(base::File& file, const std::string& name, Report& report);

/// Files a parse error (of io::visit_json) under the rule that it breaks.
void report_syntax(const base::Error& error, base::File& file, const std::string& name,
                   Report& report);

}  // namespace sstream::lint
