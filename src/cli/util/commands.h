#pragma once

#include "cli/program.h"

namespace cli {

/// The subcommands of meph2-util; each declares its options and returns the work (see Command).
Action declare_diff(CLI::App& app);
Action declare_du(CLI::App& app);
Action declare_history(CLI::App& app);
Action declare_clean_md(CLI::App& app);
Action declare_copy_version(CLI::App& app);
Action declare_find_orphans(CLI::App& app);
Action declare_hold(CLI::App& app);
Action declare_unhold(CLI::App& app);
Action declare_insert(CLI::App& app);
Action declare_keys(CLI::App& app);
Action declare_lint(CLI::App& app);
Action declare_merge(CLI::App& app);
Action declare_patch(CLI::App& app);
Action declare_promote(CLI::App& app);
Action declare_reap_orphans(CLI::App& app);
Action declare_remove_version(CLI::App& app);
Action declare_rollback(CLI::App& app);
Action declare_sign(CLI::App& app);
Action declare_status(CLI::App& app);
Action declare_verify(CLI::App& app);

}  // namespace cli
