#pragma once

#include "sstream/lint/rule.h"

namespace meph2::rules {

// maas_products.cpp
sstream::lint::Check maas_foreign_file();
sstream::lint::Check maas_one_shape();
sstream::lint::Check maas_label();
sstream::lint::Check maas_os();
sstream::lint::Check maas_release();
sstream::lint::Check maas_product_keys();
sstream::lint::Check maas_strings();
sstream::lint::Check maas_subarches();
sstream::lint::Check maas_kflavor();
sstream::lint::Check maas_kflavor_doubled();
sstream::lint::Check maas_support_eol();
sstream::lint::Check maas_lengths();
sstream::lint::Check maas_product_id();
sstream::lint::Check maas_bootloader_known();
sstream::lint::Check maas_deployable();

// maas_items.cpp
sstream::lint::Check maas_multi_items();
sstream::lint::Check maas_single_items();
sstream::lint::Check maas_mixed_items();
sstream::lint::Check maas_item_ftype();
sstream::lint::Check maas_bootloader_items();
sstream::lint::Check maas_bootloader_source();
sstream::lint::Check maas_bootloader_files();

}  // namespace meph2::rules
