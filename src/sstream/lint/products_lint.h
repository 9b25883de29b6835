#pragma once

#include <functional>

#include "sstream/lint/checks.h"
#include "sstream/lint/lint.h"

namespace sstream::lint {

/// The checks of one products file. `from` is read once more; `also` is told of each version.
void look_at_products(base::File& from, const Survey& known, ProductsFile& file,
                      const Options& options, const Checks& checks, Report& report,
                      const std::function<void(const Version& version)>& also);

}  // namespace sstream::lint
