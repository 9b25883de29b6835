#include "meph2/lint/gate.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "meph2/lint/chosen_profiles.h"
#include "meph2/lint/rules.h"
#include "sstream/lint/changed_part.h"
#include "sstream/lint/checks.h"
#include "sstream/lint/lint.h"

namespace meph2 {

namespace {

using sstream::lint::Rule;
using sstream::lint::Severity;

/// Larger documents are compared as text first; below, everything is looked at.
constexpr std::uint64_t small_document = 4U << 20U;

struct DocumentError {
  std::string text;      ///< how to say it
  bool emptied = false;  ///< it is mere emptiness
};

/// The errors of one document by rule and place.
using Errors = std::map<std::uint64_t, DocumentError>;

/// Empty where there is none.
base::File open(int directory, const std::string& name) {
  return directory < 0 ? base::File() : base::find_beneath(directory, name, O_RDONLY);
}

/// `survey`: of a products file. `partly`: versions without items are such as are left out of it.
Errors errors_in(base::File& file, const std::string& name, const sstream::lint::Survey& survey,
                 Profiles profiles, bool partly) {
  Errors errors;
  sstream::lint::Report report(lint_rules(), profiles, 0);
  report.listen([&](const Rule& rule, Severity severity, std::uint64_t identity,
                    const sstream::lint::Place& place, const std::string& message) {
    constexpr std::size_t version_depth = 4;
    const bool empty = rule.id == "products-empty";
    const bool left_out = partly && empty && place.depth == version_depth;
    if (severity == Severity::error && !left_out) {
      auto text = base::cat(rule.id, ": ", place.file, " ", place.pointer(), ": ", message);
      errors.emplace(identity, DocumentError{std::move(text), empty});
    }
  });
  if (name == "index.json") {
    sstream::lint::IndexDocument index;
    index.file = "streams/v1/index.json";
    index.json = io::read_json(file);
    const sstream::lint::Checks checks(lint_rules(), report);
    checks.index(index);
    checks.each_index(index);
  } else {
    sstream::lint::Options options;
    options.kind_of = maas_kind_of;
    sstream::lint::ProductsFile facts;
    facts.file = "streams/v1/" + name;
    sstream::lint::lint_products(file, survey, facts, lint_rules(), options, report);
  }
  return errors;
}

/// Documents of the next generation against the same of the live one.
class Comparison {
 public:
  Comparison(const sstream::GateView& view, const std::optional<Profiles>& chosen)
      : profiles(chosen.value_or(profile::simplestreams)), view_(view), chosen_(chosen) {}

  /// The index last: it is for those that the others are for.
  void add(const std::string& name) {
    auto file = open(view_.next, name);
    if (!file) {
      return;
    }
    if (name == "index.json") {
      compare(name, file, {}, profiles, false);
      return;
    }
    bool partly = false;
    if (auto before = file.size() > small_document ? open(view_.live, name) : base::File()) {
      if (auto part = sstream::lint::changed_part(before, file)) {
        file = std::move(*part);
        partly = true;
      }
    }
    const auto survey = sstream::lint::survey(file);
    const auto* id = survey.tags.text("content_id");
    const auto* format = survey.tags.text("format");
    if (id != nullptr && format != nullptr && *format == "products:1.0") {
      const auto readers = chosen_ ? *chosen_ : detect_profiles(*id, survey);
      profiles |= readers;
      compare(name, file, survey, readers, partly);
    }
  }

  Profiles profiles;  ///< for whom the repository is, as it was chosen or as it seems

  /// Errors that are new, those that are mere emptiness, and how many are old.
  std::vector<std::string> added;
  std::vector<std::string> emptied;
  std::size_t old = 0;

 private:
  void compare(const std::string& name, base::File& file, const sstream::lint::Survey& survey,
               Profiles readers, bool partly) {
    const auto next = errors_in(file, name, survey, readers, partly);
    const auto live = next.empty() ? Errors() : live_errors(name, readers);
    for (const auto& [identity, error] : next) {
      if (live.contains(identity)) {
        ++old;
      } else {
        (error.emptied ? emptied : added).push_back(error.text);
      }
    }
  }

  /// What the live one is worth is no reason to fail: what cannot be read has no errors.
  Errors live_errors(const std::string& name, Profiles readers) const {
    try {
      if (auto file = open(view_.live, name)) {
        const auto survey =
            name == "index.json" ? sstream::lint::Survey{} : sstream::lint::survey(file);
        return errors_in(file, name, survey, readers, false);
      }
    } catch (const base::Error&) {
      return {};
    }
    return {};
  }

  const sstream::GateView& view_;
  std::optional<Profiles> chosen_;
};

std::string listed(const std::vector<std::string>& texts) {
  constexpr std::size_t shown = 3;
  std::vector<std::string> first(
      texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(std::min(shown, texts.size())));
  return base::join(first, "; ") +
         (texts.size() > shown ? base::cat("; and ", texts.size() - shown, " more") : "");
}

}  // namespace

void lint_gate(LintGate mode, const sstream::GateView& view, const sstream::Context& context) {
  auto names = view.written;
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name != "index.json"; });
  Comparison all(view, chosen_profiles(view.repository));
  for (const auto& name : names) {
    all.add(name);
  }
  if (all.old > 0) {
    context.log.warning(base::cat("lint: ", all.old, all.old == 1 ? " error" : " errors",
                                  " that the stream had before (`meph2-util lint` names them)"));
  }
  if (!all.emptied.empty()) {
    context.log.warning(base::cat("lint: ", listed(all.emptied)));
  }
  if (all.added.empty()) {
    return;
  }
  const auto what = base::cat("consumers (", names_of(all.profiles),
                              ") would trip over what is new: ", listed(all.added));
  if (mode == LintGate::warn) {
    context.log.warning("lint: " + what);
    return;
  }
  throw base::Error(base::Errc::refused, base::cat(what,
                                                   "; --lint=warn publishes it all the same, "
                                                   "meph2-util lint --explain RULE says more"));
}

}  // namespace meph2
