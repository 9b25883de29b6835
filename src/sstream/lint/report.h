#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sstream/lint/rule.h"

namespace sstream::lint {

/// One thing that is wrong.
struct Finding {
  const Rule* rule = nullptr;
  Severity severity = Severity::none;
  Profiles profiles = 0;   ///< whom it concerns, of those that were asked for
  std::string file;        ///< path below the stream's directory
  std::string pointer;     ///< JSON pointer; empty: the file itself
  std::uint64_t line = 0;  ///< 0: not known
  std::string message;
};

/// What was found, in the order of the finding. Keeps so many of each rule and counts the others.
class Report {
 public:
  /// Told of every finding, also of those that are only counted; `identity` is the same for the
  /// same rule and the same pointer in a file of that name.
  using Listener = std::function<void(const Rule& rule, Severity severity, std::uint64_t identity,
                                      const Place& place, const std::string& message)>;

  Report(const Rules& rules, Profiles active, std::size_t keep_per_rule);

  const Rule* find(std::string_view id) const;

  /// Whether a rule matters to any of the active profiles.
  bool wants(const Rule& rule) const { return (rule.weight.all() & active_) != 0; }

  /// `only`: of the rule's profiles those that this concerns.
  void add(const Rule& rule, const Place& place, std::string message, Profiles only = all_profiles,
           std::uint64_t line = 0);

  /// The same by id, for the engine's own.
  void add(std::string_view id, const Place& place, std::string message,
           Profiles only = all_profiles, std::uint64_t line = 0);

  void listen(Listener listener) { listener_ = std::move(listener); }

  const std::vector<Finding>& findings() const { return findings_; }

  std::vector<Finding>& findings() { return findings_; }

  /// By rule: how many there were, kept or not.
  const std::map<const Rule*, std::uint64_t>& counts() const { return counts_; }

  std::uint64_t count(Severity severity) const { return by_severity_.at(std::size_t(severity)); }

  /// Worst first, then by file, line and pointer.
  void sort();

 private:
  const Rules* rules_;
  Profiles active_;
  std::size_t keep_;
  std::map<const Rule*, std::uint64_t> counts_;
  std::array<std::uint64_t, 4> by_severity_{};
  std::vector<Finding> findings_;
  Listener listener_;
};

/// A rule's way to say what it found.
class Emit {
 public:
  Emit(Report& report, const Rule& rule) : report_(&report), rule_(&rule) {}

  void operator()(const Place& place, std::string message, Profiles only = all_profiles) const {
    report_->add(*rule_, place, std::move(message), only);
  }

 private:
  Report* report_;
  const Rule* rule_;
};

}  // namespace sstream::lint
