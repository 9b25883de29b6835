#include "meph2/lint/lint.h"

#include "base/error.h"
#include "meph2/lint/chosen_profiles.h"
#include "meph2/lint/rules.h"
#include "sstream/source/content_source.h"

namespace meph2 {

namespace {

Profiles profiles_for(const LintOptions& options, const std::string& directory) {
  const bool remote = io::is_http_url(options.where);
  if (options.remember) {
    if (remote) {
      throw base::Error(base::Errc::usage, "--remember is for a directory");
    }
    choose_profiles(directory, options.profiles);
  }
  if (options.profiles.empty() && !remote) {
    const sstream::Repository repository(directory, sstream::Access::read);
    return chosen_profiles(repository).value_or(0);
  }
  Profiles chosen = 0;
  for (const auto& name : options.profiles) {
    chosen |= profile_of(name);
  }
  return chosen;
}

}  // namespace

sstream::lint::Result lint(const LintOptions& options, const sstream::Context& context) {
  return base::with_context("lint", [&] {
    const auto [directory, document] = sstream::split_location(options.where);
    sstream::lint::Options what;
    what.where = options.where;
    const bool index = document.ends_with("/index.json") || document.ends_with("/index.sjson");
    what.document = index ? "" : document;
    what.profiles = profiles_for(options, directory);
    what.keyrings = options.keyrings;
    what.keep_per_rule = options.keep_per_rule;
    what.files = options.files;
    what.data = options.data;
    what.detect = detect_profiles;
    what.kind_of = maas_kind_of;
    std::unique_ptr<sstream::lint::StreamFiles> files;
    if (io::is_http_url(options.where)) {
      sstream::lint::ServerProbes probes;
      probes.sample = options.sample;
      probes.jobs = options.jobs;
      files = sstream::lint::remote_files(directory, probes, context);
    } else {
      files = sstream::lint::local_files(directory, options.grace, context);
    }
    return sstream::lint::lint(*files, lint_rules(), what, context);
  });
}

}  // namespace meph2
