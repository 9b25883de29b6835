#pragma once

#include "cli/program.h"

namespace cli {

/// The subcommands of meph2-util; each declares its options and returns the work (see Command).
Action declare_diff(const Options& line);
Action declare_du(const Options& line);
Action declare_history(const Options& line);
Action declare_clean_md(const Options& line);
Action declare_copy_version(const Options& line);
Action declare_find_orphans(const Options& line);
Action declare_hold(const Options& line);
Action declare_unhold(const Options& line);
Action declare_import(const Options& line);  ///< also of meph2-import
Action declare_insert(const Options& line);
/// The subcommands of `meph2-util keys`.
std::vector<Command> keys_commands();
Action declare_lint(const Options& line);
Action declare_merge(const Options& line);
Action declare_patch(const Options& line);
Action declare_promote(const Options& line);
Action declare_reap_orphans(const Options& line);
Action declare_remove_version(const Options& line);
Action declare_rollback(const Options& line);
Action declare_sign(const Options& line);
Action declare_status(const Options& line);
Action declare_verify(const Options& line);

}  // namespace cli
