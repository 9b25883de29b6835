#pragma once

#include <string>
#include <vector>

#include "tests/io/meph2/lint/good_streams.h"

namespace lint_test {

enum class Base { maas, containers, juju };

/// One thing made wrong in a good stream, and the rule that has to find it.
struct Mutation {
  std::string name;
  Base base;
  std::string rule;
  void (*spoil)(StreamModel& model);
};

std::vector<Mutation> document_mutations();
std::vector<Mutation> maas_mutations();
std::vector<Mutation> container_mutations();
std::vector<Mutation> juju_mutations();

}  // namespace lint_test
