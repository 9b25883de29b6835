#pragma once

#include <string>
#include <vector>

#include "io/json/json_fwd.h"
#include "meph2/lint/lint.h"
#include "sstream/lint/rule.h"

namespace meph2 {

/// "streams/v1/index.json:3: error: entry-updated: ...", then how many more there are of a rule,
/// and the sum.
std::vector<std::string> text_of(const sstream::lint::Result& result);

io::Json json_of(const sstream::lint::Result& result, const std::string& where);

/// SARIF 2.1.0, for code hosts and editors.
io::Json sarif_of(const sstream::lint::Result& result, const std::string& where,
                  const std::string& version);

/// Everything about one rule, for --explain.
std::vector<std::string> explanation_of(const sstream::lint::Rule& rule);

/// "index-updated  error: maas  the index has ..." for each rule.
std::vector<std::string> rule_list();

io::Json rules_as_json();

/// docs/lint-rules.md.
std::string rules_as_markdown();

}  // namespace meph2
