#include "cli/publish_options.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/exit_code.h"
#include "base/fs/atomic_file.h"
#include "base/strings.h"
#include "cli/print.h"
#include "meph2/lint/gate.h"

namespace cli {

void add_dry_run(const Options& line, bool& dry_run, PublishFlags& flags) {
  const auto take = [&](const std::string& form) {
    dry_run = true;
    flags.dry_run = form;
  };
  line.in(Group::publication)
      .flag_or_choice("-n,--dry-run", {"text", "json"}, take,
                      "Change nothing; print what would be done");
}

void add_lock_and_report(const Options& line, std::chrono::seconds& lock_timeout,
                         PublishFlags& flags) {
  line.in(Group::publication)
      .duration("--lock-timeout", lock_timeout,
                "How long to wait for other writers (default: 60s)");
  line.in(Group::output)
      .text("--report", "FILE", flags.report, "Write what was done to this file, as JSON");
}

namespace {

const std::vector<std::string> lint_modes = {"off", "warn", "error"};

/// $MEPH2_LINT is for whoever runs many commands: a tool that compares with others, an emergency.
std::string default_lint(const std::string& otherwise) {
  const char* set = std::getenv("MEPH2_LINT");  // NOLINT(concurrency-mt-unsafe): before any thread
  const auto known =
      set != nullptr && std::find(lint_modes.begin(), lint_modes.end(), set) != lint_modes.end();
  return known ? set : otherwise;
}

}  // namespace

void add_lint_gate(const Options& line, sstream::PublishOptions& options, PublishFlags& flags,
                   const std::string& by_default) {
  flags.lint = default_lint(by_default);
  line.in(Group::publication)
      .choice("--lint", lint_modes, flags.lint,
              base::cat("What to do where consumers would trip over what is new (default: ",
                        by_default, ", or $MEPH2_LINT)"));
  options.gate = [&flags](const sstream::GateView& view, const sstream::Context& context) {
    if (flags.lint != "off") {
      const auto mode = flags.lint == "warn" ? meph2::LintGate::warn : meph2::LintGate::refuse;
      meph2::lint_gate(mode, view, context);
    }
  };
}

void add_signing_key(const Options& line, std::string& key) {
  line.in(Group::publication)
      .text("--key", "KEY", key,
            "Signing key (default: $SS_GPG_DEFAULT_KEY, else GnuPG's default key)");
}

void add_publish_options(const Options& line, sstream::PublishOptions& options, PublishFlags& flags,
                         const std::string& lint) {
  add_dry_run(line, options.dry_run, flags);
  line.in(Group::publication)
      .either("--sign", "-u,--no-sign", options.sign, "Sign the metadata, or do not");
  add_signing_key(line, options.key);
  add_lint_gate(line, options, flags, lint);
  add_lock_and_report(line, options.lock_timeout, flags);
}

std::string outcome_of(const sstream::PublishResult& result) {
  return result.changed ? base::cat("published generation ", result.generation, ": ",
                                    result.file_count, " files, ", base::human_bytes(result.bytes))
                        : std::string("nothing to do");
}

io::Json report_of_items(const meph2::AddedItems& items, const sstream::PublishResult& result,
                         const sstream::PublishOptions& options) {
  auto report = sstream::report_of(result, options);
  auto& list = report["items"] = io::Json::array();
  for (const auto& [pedigree, path] : items) {
    list.push_back({{"item", pedigree.text()}, {"path", path}});
  }
  return report;
}

std::vector<std::string> lines_of_items(const meph2::AddedItems& items, const std::string& mark) {
  std::vector<std::string> lines;
  for (const auto& [pedigree, path] : items) {
    lines.push_back(base::cat(mark, pedigree.text(), path.empty() ? "" : " ", path));
  }
  return lines;
}

std::vector<std::string> published_lines(const meph2::AddedItems& items,
                                         const sstream::PublishResult& result,
                                         const sstream::PublishOptions& options) {
  return options.dry_run ? lines_of_items(items) : std::vector{outcome_of(result)};
}

void add_allow_drop(const Options& line, std::set<std::string>& products, const std::string& help) {
  line.in(Group::publication)
      .list(
          "--allow-drop", "PRODUCT", [&](const std::string& name) { products.insert(name); },
          base::cat(help, " (may be repeated)"));
}

void add_guard_options(const Options& line, sstream::GuardRails& rails) {
  rails.enforced = true;
  line.in(Group::publication)
      .flag("--allow-shrink", rails.allow_shrink,
            "Let the source take away more than half of a stream");
  add_allow_drop(line, rails.allow_drop, "Let this product disappear");
}

void add_trust_options(const Options& line, sstream::TrustOptions& trust,
                       const std::string& no_verify) {
  const auto options = line.in(Group::trust);
  options.text("--keyring", "FILE", trust.keyring,
               "The source must be signed by a key of this file");
  options.flag("--require-signed", trust.require_signed, "Refuse an unsigned source");
  options.flag(no_verify, trust.no_verify, "Do not verify the source's signatures");
}

void add_replay_options(const Options& line, sstream::TrustOptions& trust) {
  const auto options = line.in(Group::trust);
  options.flag("--allow-rollback", trust.allow_rollback,
               "Take the source as it is, although it is older than what was seen of it");
  options.duration("--max-age", trust.max_age,
                   "Fail where the source has not been published anew for so long");
}

void add_source_options(const Options& line, sstream::TrustOptions& trust,
                        const std::string& no_verify) {
  add_trust_options(line, trust, no_verify);
  add_replay_options(line, trust);
  line.in(Group::trust)
      .flag("--allow-md5", trust.allow_md5, "Take files that have no better digest than md5");
}

namespace {

void tell(const io::Json& report, const std::vector<std::string>& lines,
          const PublishFlags& flags) {
  if (flags.dry_run == "json") {
    print_json(report);
  } else {
    print_lines(lines);
  }
  std::cout.flush();
  if (!std::cout) {
    throw base::Error(base::Errc::failed, "write to stdout: the results could not be written");
  }
  if (!flags.report.empty()) {
    base::replace_file(flags.report, io::to_text(report));
  }
}

}  // namespace

int finish(const io::Json& report, const std::vector<std::string>& lines,
           const PublishFlags& flags) {
  try {
    tell(report, lines, flags);
  } catch (const base::Error& error) {
    const bool changed = report.is_object() && report.value("changed", false);
    if (!flags.dry_run.empty() || !changed) {
      throw;
    }
    throw error.becomes(base::Errc::cleanup_incomplete, "published");  // exit 1: unchanged
  }
  return base::exit_done;
}

int finish_items(const meph2::AddedItems& items, const sstream::PublishResult& result,
                 const sstream::PublishOptions& options, const PublishFlags& flags,
                 const io::Json& details) {
  auto report = report_of_items(items, result, options);
  report.update(details);
  return finish(report, published_lines(items, result, options), flags);
}

}  // namespace cli
