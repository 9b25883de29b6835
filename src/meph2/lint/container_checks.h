#pragma once

#include "sstream/lint/document.h"
#include "sstream/lint/rule.h"

namespace meph2::rules {

/// Neither LXD nor Incus looks at any file but those of datatype image-downloads.
bool containers_read(const sstream::lint::ProductsFile& file);

// container_checks.cpp
sstream::lint::Check lxd_types();
sstream::lint::Check lxd_arch();
sstream::lint::Check lxd_aliases();
sstream::lint::Check lxd_alias_unique();
sstream::lint::Check lxd_version_date();
sstream::lint::Check lxd_delta_base();
sstream::lint::Check incus_vm_delta();

// container_images.cpp
sstream::lint::Check lxd_metadata_item();
sstream::lint::Check incus_metadata_item();
sstream::lint::Check lxd_root_item();
sstream::lint::Check lxd_combined();
sstream::lint::Check lxd_combined_form();
sstream::lint::Check lxd_combined_content();
sstream::lint::Check lxd_fingerprints();

}  // namespace meph2::rules
