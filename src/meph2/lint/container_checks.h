#pragma once

#include "sstream/lint/rule.h"

namespace meph2::rules {

sstream::lint::Check lxd_types();
sstream::lint::Check lxd_arch();
sstream::lint::Check lxd_aliases();
sstream::lint::Check lxd_alias_unique();
sstream::lint::Check lxd_version_date();
sstream::lint::Check lxd_metadata_item();
sstream::lint::Check incus_metadata_item();
sstream::lint::Check lxd_root_item();
sstream::lint::Check lxd_combined();
sstream::lint::Check lxd_combined_form();
sstream::lint::Check lxd_fingerprints();
sstream::lint::Check lxd_delta_base();
sstream::lint::Check incus_vm_delta();

}  // namespace meph2::rules
