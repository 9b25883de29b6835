#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/log.h"
#include "sstream/format/product_tree.h"

namespace sstream {

/// The hooks of a sync (docs/format.md 2.7), as $HOOK says them: filter_index_entry, ...
const std::vector<std::string>& hook_names();

/// Which program stands for which hook: arguments, the first of them the program. In each
/// %(name)s is a tag.
struct HookPrograms {
  std::map<std::string, std::vector<std::string>> own;  ///< by hook; empty: none, not the fallback
  std::vector<std::string> fallback;                    ///< for hooks that have none of their own
  std::optional<std::string> unset;  ///< what stands for a tag that is not there; else an error
};

/// What a hook is told: about which thing, and with which tags.
struct HookSubject {
  std::string name;  ///< for messages
  Tags tags;
  std::map<std::string, std::string> more;  ///< ours: path_local, item_url, content_file_path, ...
};

/// Runs the programs, never through a shell. A program gets our environment, HOOK, the subject's
/// tags as variables and their names in FIELDS. A tag is no variable where its name is none for a
/// shell, is in capitals only (PATH, LD_PRELOAD, ... are the operator's) or ends in _proxy; `more`
/// takes the place of tags. Its standard input is empty.
class Hooks {
 public:
  /// Error(usage) for an unknown hook, a program that is none, a malformed argument, a tag inside a
  /// shell's command.
  Hooks(HookPrograms programs, const base::Log& log, std::stop_token stop);

  /// Whether there is a program of its own, or the fallback.
  bool has(const std::string& hook) const;

  bool has_own(const std::string& hook) const { return programs_.own.contains(hook) && has(hook); }

  /// What the program says of the subject: exit 0 yes, 1 no; yes without a program. Error(failed)
  /// naming hook and subject for another status; with errno EPIPE for 141.
  bool wants(const std::string& hook, const HookSubject& subject) const;

  /// Must exit 0. Nothing without a program.
  void tell(const std::string& hook, const HookSubject& subject) const;

  /// The same; returns what it prints.
  std::string ask(const std::string& hook, const HookSubject& subject) const;

 private:
  const std::vector<std::string>& program(const std::string& hook) const;
  void require_success(const std::string& hook, const HookSubject& subject,
                       std::string* output) const;
  int run(const std::string& hook, const HookSubject& subject, std::string* output) const;

  HookPrograms programs_;
  const base::Log* log_;
  std::stop_token stop_;
};

}  // namespace sstream
