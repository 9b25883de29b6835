#pragma once

#include "sstream/lint/rule.h"

namespace sstream::lint {

/// What the format itself asks for (docs/format.md 1 and 6). Who minds, and how much, the rules
/// say.

// format_index.cpp
Check check_index_format();           ///< `format` is index:1.0
Check check_index_updated();          ///< `updated` is a time stamp
Check check_index_updated_type();     ///< `updated` is a string where it is there
Check check_entry_structure();        ///< entries are objects, their tags are strings
Check check_entry_path();             ///< each entry has a path
Check check_entry_path_unsafe();      ///< which is one below the stream
Check check_entry_path_suffix();      ///< .json in index.json, .sjson in index.sjson
Check check_entry_updated();          ///< each entry has an `updated` that is a time stamp
Check check_entry_format();           ///< each entry has format products:1.0
Check check_entry_products();         ///< each entry has a list of products that is not empty
Check check_entry_products_differ();  ///< which is that of the file
Check check_products_basename();      ///< no two products files have the same last component
Check check_content_id_differs();     ///< the file's content id is its name in the index

// format_products.cpp
Check check_products_format();      ///< `format` is products:1.0
Check check_products_content_id();  ///< `content_id` is a string
Check check_products_datatype();    ///< `datatype` is a string
Check check_products_updated();     ///< `updated` is a time stamp
Check check_products_empty();       ///< products, versions and items, each at least one
Check check_aliases();              ///< no `_aliases`
Check check_version_order();        ///< names sort as strings in the order of time
Check check_version_style();        ///< one style of names per product
Check check_version_serial();       ///< no serial of more than one digit

// format_items.cpp
Check check_size_missing();
Check check_size_type();
Check check_sha256_missing();
Check check_sha256_form();
Check check_path_unsafe();    ///< absolute, climbing, a scheme, ...
Check check_path_chars();     ///< characters that some client quotes and some does not
Check check_path_contents();  ///< one path has one sha256 and one size
Check check_basenames();      ///< unique in a version

/// Makes a check of a function on one subject.
Check on_index(void (*check)(const IndexDocument& index, const Emit& emit));
Check on_head(void (*check)(const ProductsFile& file, const Emit& emit));
Check on_item(void (*check)(const Item& item, const Emit& emit));
Check on_version(void (*check)(const Version& version, const Emit& emit));
Check on_product(void (*check)(const Product& product, const Emit& emit));

/// 64 characters of 0-9a-f.
bool is_sha256(std::string_view text);

/// RFC 2822 with a numeric zone, or ISO 8601.
bool is_stamp(const std::string& text);

}  // namespace sstream::lint
