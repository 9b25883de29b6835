#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/run_options.h"
#include "meph2/supply/add_versions.h"
#include "sstream/publish/publication.h"
#include "sstream/source/content_source.h"

namespace cli {

/// What the options that all changing commands share were set to, as text.
struct PublishFlags {
  std::string dry_run;  ///< "", "text" or "json"
  std::string report;   ///< FILE of --report
  std::string lint;     ///< "off", "warn" or "error"

  /// Whether finish() will look at the report at all.
  bool wants_report() const { return dry_run == "json" || !report.empty(); }
};

/// What a command was asked for that calls a verb which changes a stream.
template <typename VerbOptions>
struct VerbCommand {
  VerbOptions options;
  PublishFlags flags;
  RunFlags running;
};

/// --dry-run[=text|json].
void add_dry_run(const Options& line, bool& dry_run, PublishFlags& flags);

/// --lock-timeout, --report.
void add_lock_and_report(const Options& line, std::chrono::seconds& lock_timeout,
                         PublishFlags& flags);

/// --lint, with this default: what the programs look at before they publish.
void add_lint_gate(const Options& line, sstream::PublishOptions& options, PublishFlags& flags,
                   const std::string& by_default = "error");

/// --key.
void add_signing_key(const Options& line, std::string& key);

/// --dry-run[=text|json], --sign, --no-sign, --key, --lint, --lock-timeout, --report. `sign` in
/// `options` is the command's default, `lint` that of --lint. Both have to outlive the command.
void add_publish_options(const Options& line, sstream::PublishOptions& options, PublishFlags& flags,
                         const std::string& lint = "error");

/// The result line of a command that prints nothing else: what was published, or that nothing was.
std::string outcome_of(const sstream::PublishResult& result);

/// The report of a verb that adds items, with these.
io::Json report_of_items(const meph2::AddedItems& items, const sstream::PublishResult& result,
                         const sstream::PublishOptions& options);

/// A line for each item, with `mark` in front.
std::vector<std::string> lines_of_items(const meph2::AddedItems& items,
                                        const std::string& mark = "");

/// What such a verb prints: the items of a dry run, else the outcome.
std::vector<std::string> published_lines(const meph2::AddedItems& items,
                                         const sstream::PublishResult& result,
                                         const sstream::PublishOptions& options);

/// --allow-drop.
void add_allow_drop(const Options& line, std::set<std::string>& products, const std::string& help);

/// --allow-shrink, --allow-drop.
void add_guard_options(const Options& line, sstream::GuardRails& rails);

/// --keyring, --require-signed, --no-verify.
void add_trust_options(const Options& line, sstream::TrustOptions& trust,
                       const std::string& no_verify = "--no-verify");

/// --allow-rollback, --max-age: of commands that remember what they saw of a source.
void add_replay_options(const Options& line, sstream::TrustOptions& trust);

/// All of these and --allow-md5: of commands that take files.
void add_source_options(const Options& line, sstream::TrustOptions& trust,
                        const std::string& no_verify = "--no-verify");

/// Prints `lines`, or the report where a dry run asks for JSON; writes the report file. Returns the
/// exit code `done`. Error(cleanup_incomplete), with the state "published", where that cannot be
/// written after something was published; Error(failed) where nothing was.
int finish(const io::Json& report, const std::vector<std::string>& lines,
           const PublishFlags& flags);

/// finish() of a verb that adds items; `details` are further members of its report.
int finish_items(const meph2::AddedItems& items, const sstream::PublishResult& result,
                 const sstream::PublishOptions& options, const PublishFlags& flags,
                 const io::Json& details = io::Json::object());

}  // namespace cli
