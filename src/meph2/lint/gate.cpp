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

using sstream::lint::Report;
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

class DocumentErrors {
 public:
  /// `partly`: versions without items are such as are left out of the document.
  DocumentErrors(Profiles profiles, bool partly) : report_(lint_rules(), profiles, 0) {
    report_.listen([this, partly](const Rule& rule, Severity severity, std::uint64_t identity,
                                  const sstream::lint::Place& place, const std::string& message) {
      constexpr std::size_t version_depth = 4;
      const bool empty = rule.id == "products-empty";
      const bool left_out = partly && empty && place.depth == version_depth;
      if (severity == Severity::error && !left_out) {
        auto text = base::cat(rule.id, ": ", place.file, " ", place.pointer(), ": ", message);
        errors_.emplace(identity, DocumentError{std::move(text), empty});
      }
    });
  }

  Report& report() { return report_; }

  const Errors& errors() const { return errors_; }

 private:
  Report report_;
  Errors errors_;
};

std::optional<base::File> open(int directory, const std::string& name) {
  if (directory < 0 || !base::exists_at(directory, name)) {
    return std::nullopt;
  }
  return base::open_beneath(directory, name, O_RDONLY);
}

void look_at_products(base::File& file, const std::string& name, DocumentErrors& into,
                      const sstream::lint::Survey& survey) {
  sstream::lint::Options options;
  options.kind_of = maas_kind_of;
  sstream::lint::ProductsFile facts;
  facts.file = "streams/v1/" + name;
  sstream::lint::lint_products(file, survey, facts, lint_rules(), options, into.report());
}

void look_at_index(base::File& file, DocumentErrors& into) {
  sstream::lint::IndexDocument index;
  index.file = "streams/v1/index.json";
  index.json = io::read_json(file);
  const sstream::lint::Checks checks(lint_rules(), into.report());
  checks.index(index);
  checks.each_index(index);
}

/// A document of the next generation against the same of the live one.
class Comparison {
 public:
  Comparison(const sstream::GateView& view, std::string name)
      : live_(view.live), next_(view.next), name_(std::move(name)) {}

  /// `chosen`: for whom the repository is, if that was said. `others`: for whom the documents are
  /// that an index names.
  void run(const std::optional<Profiles>& chosen, Profiles others) {
    auto file = open(next_, name_);
    if (!file) {
      return;
    }
    if (name_ == "index.json") {
      profiles_ = chosen.value_or(others);
      compare(*file, profiles_, {});
      return;
    }
    if (auto before = file->size() > small_document ? open(live_, name_) : std::nullopt) {
      if (auto part = sstream::lint::changed_part(*before, *file)) {
        file = std::move(part);
        partly_ = true;
      }
    }
    const auto survey = sstream::lint::survey(*file);
    const auto* id = survey.tags.text("content_id");
    const auto* format = survey.tags.text("format");
    if (id != nullptr && format != nullptr && *format == "products:1.0") {
      profiles_ = chosen ? *chosen : detect_profiles(*id, survey);
      compare(*file, profiles_, survey);
    }
  }

  /// Errors that are new, of these those that are mere emptiness, and how many are old.
  std::vector<std::string> added;
  std::vector<std::string> emptied;
  std::size_t old = 0;

  Profiles profiles() const { return profiles_; }

 private:
  void look(base::File& file, DocumentErrors& into, const sstream::lint::Survey& survey) const {
    if (name_ == "index.json") {
      look_at_index(file, into);
    } else {
      look_at_products(file, name_, into, survey);
    }
  }

  void compare(base::File& file, Profiles profiles, const sstream::lint::Survey& survey) {
    DocumentErrors next(profiles, partly_);
    look(file, next, survey);
    if (next.errors().empty()) {
      return;
    }
    DocumentErrors live(profiles, false);
    look_at_live(live);
    for (const auto& [identity, error] : next.errors()) {
      if (live.errors().contains(identity)) {
        ++old;
      } else {
        (error.emptied ? emptied : added).push_back(error.text);
      }
    }
  }

  /// What the live one is worth is no reason to fail: what cannot be read has no errors.
  void look_at_live(DocumentErrors& into) const {
    try {
      if (auto file = open(live_, name_)) {
        look(*file, into,
             name_ == "index.json" ? sstream::lint::Survey{} : sstream::lint::survey(*file));
      }
    } catch (const base::Error&) {
      return;
    }
  }

  int live_;
  int next_;
  std::string name_;
  Profiles profiles_ = 0;
  bool partly_ = false;
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
  const auto chosen = chosen_profiles(view.repository);
  std::vector<std::string> added;
  std::vector<std::string> emptied;
  std::size_t old = 0;
  Profiles profiles = chosen.value_or(profile::simplestreams);
  auto names = view.written;
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name != "index.json"; });
  for (const auto& name : names) {  // the index last: it is for those that the others are for
    Comparison one(view, name);
    one.run(chosen, profiles);
    profiles |= one.profiles();
    added.insert(added.end(), one.added.begin(), one.added.end());
    emptied.insert(emptied.end(), one.emptied.begin(), one.emptied.end());
    old += one.old;
  }
  if (old > 0) {
    context.log.warning(base::cat("lint: ", old, old == 1 ? " error" : " errors",
                                  " that the stream had before (`meph2-util lint` names them)"));
  }
  if (!emptied.empty()) {
    context.log.warning(base::cat("lint: ", listed(emptied)));
  }
  if (added.empty()) {
    return;
  }
  const auto what = base::cat("consumers (", names_of(profiles),
                              ") would trip over what is new: ", listed(added));
  if (mode == LintGate::warn) {
    context.log.warning("lint: " + what);
    return;
  }
  throw base::Error(base::Errc::refused, base::cat(what,
                                                   "; --lint=warn publishes it all the same, "
                                                   "meph2-util lint --explain RULE says more"));
}

}  // namespace meph2
