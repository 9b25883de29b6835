#pragma once

#include "sstream/publish/publication.h"

namespace meph2 {

enum class LintGate { warn, refuse };

/// The gate of a publication (sstream::PublicationGate): looks at the new documents with the eyes
/// of the consumers that the repository is for (chosen_profiles()), or seems to be for. Errors that
/// the live generation has not, by rule and place, are Error(refused), or a warning; old ones are
/// mentioned once. What holds nothing any more (products-empty) is only warned about: to take
/// things away is what was asked for.
void lint_gate(LintGate mode, const sstream::GateView& view, const sstream::Context& context);

}  // namespace meph2
