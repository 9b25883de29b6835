#include "meph2/verbs/hold.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/fs/identity.h"
#include "base/strings.h"
#include "sstream/janitor/named_paths.h"
#include "sstream/publish/swap.h"
#include "sstream/repository/generation.h"

namespace meph2 {

namespace {

struct Named {
  std::string product;
  std::string version;
};

Named parse(const std::string& text) {
  const auto at = text.rfind('@');
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
    throw base::Error(base::Errc::usage,
                      base::cat("'", text, "' is not of the form PRODUCT@VERSION"));
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

std::optional<base::Time> parse_end(const std::string& text, base::Time now) {
  if (text.empty()) {
    return std::nullopt;
  }
  const auto duration = base::parse_duration(text);
  auto end = duration ? std::optional(now + *duration) : base::parse_stamp(text);
  if (!end) {
    end = base::parse_stamp(text + "T00:00:00+00:00");
  }
  if (!end) {
    throw base::Error(base::Errc::usage, base::cat("--until: '", text,
                                                   "' is neither a duration such as 30d nor a date "
                                                   "such as 2027-01-31"));
  }
  if (*end <= now) {
    throw base::Error(base::Errc::usage, base::cat("--until: ", text, " is past"));
  }
  return end;
}

/// The files of a version, in whichever content it is; nullopt when none has it.
std::optional<std::vector<std::string>> files_of(const sstream::Generation& live,
                                                 const Named& named) {
  bool found = false;
  std::set<std::string> paths;
  for (const auto& [content_id, stream] : live.streams()) {
    const auto tree = stream.format == "products:1.0" ? live.read_tree(content_id) : std::nullopt;
    if (!tree || tree->version(named.product, named.version) == nullptr) {
      continue;
    }
    found = true;
    tree->for_each_item_of(named.product, named.version, [&](const sstream::Item& item) {
      if (const auto path = sstream::normal_path(item.tag("path").value_or(""))) {
        paths.insert(*path);
      }
    });
  }
  return found ? std::optional(std::vector<std::string>(paths.begin(), paths.end())) : std::nullopt;
}

/// What a run that died left is cleared away before the list is written again.
base::FileLock lock_commit(const sstream::Repository& repository, const HoldOptions& options,
                           const sstream::Context& context) {
  auto lock = repository.lock_commit(options.lock_timeout, context);
  if (repository.streams() >= 0) {
    sstream::recover(repository);
  }
  return lock;
}

}  // namespace

sstream::Hold hold(const HoldOptions& options, const sstream::Context& context) {
  const auto named = parse(options.version);
  sstream::Hold hold;
  hold.product = named.product;
  hold.version = named.version;
  hold.reason = options.reason;
  hold.since = context.clock.now();
  hold.until = parse_end(options.until, hold.since);
  hold.by = base::user_at_host();
  return base::with_context("hold", [&] {
    const sstream::Repository repository(
        options.data_d, options.dry_run ? sstream::Access::read : sstream::Access::locks);
    // Shared: the janitor, which takes its locks without this one, sees the hold or comes later.
    base::FileLock stage;
    base::FileLock commit;
    if (!options.dry_run) {
      stage = repository.lock_stage(base::LockMode::shared, options.lock_timeout, context);
      commit = lock_commit(repository, options, context);
    }
    const auto paths = files_of(sstream::Generation::load(repository), named);
    if (!paths) {
      throw base::Error(base::Errc::not_found, base::cat(options.data_d, ": there is no version ",
                                                         named.version, " of ", named.product));
    }
    hold.paths = *paths;
    auto holds = sstream::Holds::load(repository);
    holds.add(hold);
    if (!options.dry_run) {
      holds.save(repository);
    }
    return hold;
  });
}

sstream::Hold unhold(const HoldOptions& options, const sstream::Context& context) {
  const auto named = parse(options.version);
  return base::with_context("unhold", [&] {
    const sstream::Repository repository(
        options.data_d, options.dry_run ? sstream::Access::read : sstream::Access::locks);
    base::FileLock commit;
    if (!options.dry_run) {
      commit = lock_commit(repository, options, context);
    }
    auto holds = sstream::Holds::load(repository);
    const auto found =
        std::find_if(holds.all().begin(), holds.all().end(), [&](const sstream::Hold& hold) {
          return hold.product == named.product && hold.version == named.version;
        });
    if (found == holds.all().end()) {
      throw base::Error(base::Errc::not_found,
                        base::cat(options.data_d, ": ", options.version, " is not held"));
    }
    const auto hold = *found;
    holds.remove(named.product, named.version);
    if (!options.dry_run) {
      holds.save(repository);
    }
    return hold;
  });
}

std::vector<sstream::Hold> list_holds(const std::string& data_d) {
  return sstream::Holds::load(sstream::Repository(data_d, sstream::Access::read)).all();
}

}  // namespace meph2
