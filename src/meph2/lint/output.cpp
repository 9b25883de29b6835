#include "meph2/lint/output.h"

#include <algorithm>

#include "base/strings.h"
#include "meph2/lint/rules.h"

namespace meph2 {

using sstream::lint::Finding;
using sstream::lint::Result;
using sstream::lint::Rule;
using sstream::lint::Severity;

namespace {

constexpr std::array<Severity, 3> severities = {Severity::error, Severity::warning,
                                                Severity::advice};

/// "3 errors, 1 warning", without what there is none of.
std::string sum_of(const sstream::lint::Report& report) {
  std::vector<std::string> parts;
  for (const auto severity : severities) {
    if (const auto count = report.count(severity); count > 0) {
      const bool advice = severity == Severity::advice;
      parts.push_back(base::cat(count, " ", advice ? "piece" : name_of(severity),
                                count == 1 ? "" : "s", advice ? " of advice" : ""));
    }
  }
  return parts.empty() ? "clean" : base::join(parts, ", ");
}

std::string location_of(const Finding& finding) {
  return finding.file + (finding.line > 0 ? base::cat(":", finding.line) : "");
}

Profiles bits(const Rule& rule, Severity severity) {
  switch (severity) {
    case Severity::error:
      return rule.weight.error;
    case Severity::warning:
      return rule.weight.warning & ~rule.weight.error;
    default:
      return rule.weight.advice & ~(rule.weight.error | rule.weight.warning);
  }
}

std::string titles_of(Profiles profiles) {
  std::vector<std::string> titles;
  for (const auto& one : profile_names()) {
    if ((profiles & one.bit) != 0) {
      titles.push_back(one.title);
    }
  }
  return base::join(titles, ", ");
}

/// "error for MAAS 3.8 and later, LXD", by severity.
std::vector<std::string> concerned_by(const Rule& rule) {
  std::vector<std::string> lines;
  for (const auto severity : severities) {
    if (const auto concerned = bits(rule, severity); concerned != 0) {
      lines.push_back(base::cat(name_of(severity), " for ", titles_of(concerned)));
    }
  }
  return lines;
}

io::Json rule_json(const Rule& rule) {
  io::Json weights = io::Json::object();
  for (const auto& one : profile_names()) {
    const auto severity = rule.weight.severity(one.bit);
    if (severity != Severity::none) {
      weights[one.name] = name_of(severity);
    }
  }
  return {{"id", rule.id},
          {"looks", rule.looks},
          {"mend", rule.mend},
          {"severity", std::move(weights)},
          {"title", rule.title}};
}

}  // namespace

std::vector<std::string> text_of(const Result& result) {
  const auto& report = result.report;
  std::vector<std::string> lines;
  std::map<const Rule*, std::uint64_t> shown;
  for (const auto& finding : report.findings()) {
    ++shown[finding.rule];
    lines.push_back(base::cat(location_of(finding), ": ", name_of(finding.severity), ": ",
                              finding.rule->id, ": ", finding.pointer,
                              finding.pointer.empty() ? "" : ": ", finding.message, " [",
                              names_of(finding.profiles), "]"));
  }
  for (const auto& [rule, count] : report.counts()) {
    if (count > shown[rule]) {
      lines.push_back(base::cat(rule->id, ": ", count - shown[rule], " more of this (--all)"));
    }
  }
  lines.push_back(base::cat(sum_of(report), " for ", names_of(result.profiles)));
  return lines;
}

io::Json json_of(const Result& result, const std::string& where) {
  auto findings = io::Json::array();
  for (const auto& finding : result.report.findings()) {
    findings.push_back({{"file", finding.file},
                        {"line", finding.line > 0 ? io::Json(finding.line) : io::Json()},
                        {"message", finding.message},
                        {"pointer", finding.pointer},
                        {"profiles", base::split_list(names_of(finding.profiles), ',')},
                        {"rule", finding.rule->id},
                        {"severity", name_of(finding.severity)}});
  }
  auto counts = io::Json::object();
  for (const auto& [rule, count] : result.report.counts()) {
    counts[std::string(rule->id)] = count;
  }
  auto sums = io::Json::object();
  for (const auto severity : severities) {
    sums[name_of(severity)] = result.report.count(severity);
  }
  return {{"counts", std::move(counts)},
          {"findings", std::move(findings)},
          {"profiles", base::split_list(names_of(result.profiles), ',')},
          {"sums", std::move(sums)},
          {"trusted", result.trusted},
          {"where", where}};
}

io::Json sarif_of(const Result& result, const std::string& where, const std::string& version) {
  auto rules = io::Json::array();
  std::map<const Rule*, std::size_t> numbers;
  for (const auto& rule : lint_rules()) {
    if (result.report.counts().contains(&rule)) {
      numbers.emplace(&rule, rules.size());
      rules.push_back({{"id", rule.id},
                       {"shortDescription", {{"text", rule.title}}},
                       {"fullDescription", {{"text", rule.looks}}},
                       {"help", {{"text", rule.mend}}}});
    }
  }
  auto results = io::Json::array();
  for (const auto& finding : result.report.findings()) {
    io::Json physical = {
        {"artifactLocation",
         {{"uri", base::percent_encode_path(finding.file)}, {"uriBaseId", "STREAM"}}}};
    if (finding.line > 0) {
      physical["region"] = {{"startLine", finding.line}};
    }
    io::Json place = {{"physicalLocation", std::move(physical)}};
    if (!finding.pointer.empty()) {
      place["logicalLocations"] = {{{"fullyQualifiedName", finding.pointer}}};
    }
    const bool advice = finding.severity == Severity::advice;
    results.push_back({{"level", advice ? "note" : name_of(finding.severity)},
                       {"locations", io::Json::array({std::move(place)})},
                       {"message", {{"text", finding.message}}},
                       {"ruleId", finding.rule->id},
                       {"ruleIndex", numbers.at(finding.rule)}});
  }
  io::Json driver = {
      {"name", "meph2-util lint"}, {"rules", std::move(rules)}, {"version", version}};
  io::Json run = {{"originalUriBaseIds", {{"STREAM", {{"description", {{"text", where}}}}}}},
                  {"results", std::move(results)},
                  {"tool", {{"driver", std::move(driver)}}}};
  return {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
          {"runs", io::Json::array({std::move(run)})},
          {"version", "2.1.0"}};
}

std::vector<std::string> explanation_of(const Rule& rule) {
  auto lines = concerned_by(rule);
  lines.insert(lines.begin(), {base::cat(rule.id, ": ", rule.title), ""});
  lines.insert(lines.end(), {"", base::cat("How it looks there: ", rule.looks), "",
                             base::cat("How to mend it: ", rule.mend)});
  return lines;
}

std::vector<std::string> rule_list() {
  std::vector<std::string> lines;
  for (const auto& rule : lint_rules()) {
    std::vector<std::string> weights;
    for (const auto severity : severities) {
      if (const auto concerned = bits(rule, severity); concerned != 0) {
        weights.push_back(base::cat(name_of(severity), ": ", names_of(concerned, " ")));
      }
    }
    lines.push_back(base::cat(rule.id, "\t", base::join(weights, "; "), "\t", rule.title));
  }
  return lines;
}

io::Json rules_as_json() {
  auto rules = io::Json::array();
  for (const auto& rule : lint_rules()) {
    rules.push_back(rule_json(rule));
  }
  return rules;
}

std::string rules_as_markdown() {
  std::string text =
      "# What lint looks for\n\n"
      "Made by `meph2-util lint --list-rules --format markdown`; a test compares. What each "
      "consumer\n"
      "really demands was found by running it, or by reading its source.\n\n"
      "error: the consumer refuses the stream, or the image is of no use; warning: something is "
      "missing\nor odd without a word; advice: better not.\n\n| rule |";
  std::string line = "|---|";
  for (const auto& one : profile_names()) {
    text += base::cat(" ", one.name, " |");
    line += "---|";
  }
  text += "\n" + line + "\n";
  for (const auto& rule : lint_rules()) {
    text += base::cat("| [", rule.id, "](#", rule.id, ") |");
    for (const auto& one : profile_names()) {
      const auto severity = rule.weight.severity(one.bit);
      text += base::cat(" ", severity == Severity::none ? "" : name_of(severity), " |");
    }
    text += "\n";
  }
  for (const auto& rule : lint_rules()) {
    text += base::cat("\n## ", rule.id, "\n\n", rule.title, ".\n\n");
    for (const auto& line : concerned_by(rule)) {
      text += base::cat("- ", line, "\n");
    }
    text += base::cat("\n**How it looks there.** ", rule.looks, "\n\n**How to mend it.** ",
                      rule.mend, "\n");
  }
  return text;
}

}  // namespace meph2
