#include "sstream/lint/report.h"

#include <algorithm>
#include <tuple>

#include "io/hash/fingerprint.h"

namespace sstream::lint {

const char* name_of(Severity severity) {
  constexpr std::array<const char*, 4> names = {"none", "advice", "warning", "error"};
  return names.at(static_cast<std::size_t>(severity));
}

Severity Weight::severity(Profiles profiles) const {
  if ((error & profiles) != 0) {
    return Severity::error;
  }
  if ((warning & profiles) != 0) {
    return Severity::warning;
  }
  return (advice & profiles) != 0 ? Severity::advice : Severity::none;
}

std::string Place::pointer() const {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) {
    text += '/';
    for (const char c : names.at(i)) {
      if (c == '~') {
        text += "~0";
      } else if (c == '/') {
        text += "~1";
      } else {
        text += c;
      }
    }
  }
  return text;
}

Report::Report(const Rules& rules, Profiles active, std::size_t keep_per_rule)
    : rules_(&rules), active_(active), keep_(keep_per_rule) {}

const Rule* Report::find(std::string_view id) const {
  const auto found =
      std::find_if(rules_->begin(), rules_->end(), [&](const Rule& rule) { return rule.id == id; });
  return found == rules_->end() ? nullptr : &*found;
}

void Report::add(std::string_view id, const Place& place, std::string message, Profiles only,
                 std::uint64_t line) {
  if (const auto* rule = find(id)) {
    add(*rule, place, std::move(message), only, line);
  }
}

void Report::add(const Rule& rule, const Place& place, std::string message, Profiles only,
                 std::uint64_t line) {
  const auto concerned = active_ & only & rule.weight.all();
  const auto severity = rule.weight.severity(concerned);
  if (severity == Severity::none) {
    return;
  }
  ++by_severity_.at(static_cast<std::size_t>(severity));
  const auto count = ++counts_[&rule];
  if (listener_) {
    std::string identity(rule.id);
    identity.append("\n").append(place.file).append("\n").append(place.pointer());
    listener_(rule, severity, io::fingerprint64(identity), place, message);
  }
  if (count <= keep_) {
    findings_.push_back({&rule, severity, concerned, std::string(place.file), place.pointer(), line,
                         std::move(message)});
  }
}

void Report::sort() {
  const auto key = [](const Finding& finding) {
    return std::tuple(-static_cast<int>(finding.severity), std::string_view(finding.file),
                      finding.line, std::string_view(finding.pointer));
  };
  std::stable_sort(findings_.begin(), findings_.end(),
                   [&](const Finding& a, const Finding& b) { return key(a) < key(b); });
}

}  // namespace sstream::lint
