#pragma once

#include "sstream/lint/rule.h"

namespace sstream::lint {

/// What the format itself asks for (docs/format.md 1 and 6). Who minds, and how much, the rules
/// say.

// format_index.cpp
void check_index_format(const IndexDocument& index, const Emit& emit);
void check_index_updated(const IndexDocument& index, const Emit& emit);
/// That it is a string where it is there.
void check_index_updated_type(const IndexDocument& index, const Emit& emit);
/// That entries are objects, and their tags strings.
void check_entry_structure(const IndexDocument& index, const Emit& emit);
void check_entry_path(const Entry& entry, const Emit& emit);
void check_entry_path_unsafe(const Entry& entry, const Emit& emit);
Check check_entry_path_suffix();
void check_entry_updated(const Entry& entry, const Emit& emit);
void check_entry_format(const Entry& entry, const Emit& emit);
/// That there is a list of products that is not empty.
void check_entry_products(const Entry& entry, const Emit& emit);
/// That it is that of the file.
Check check_entry_products_differ();
Check check_products_basename();
void check_content_id_differs(const ProductsFile& file, const Emit& emit);

// format_products.cpp
void check_products_format(const ProductsFile& file, const Emit& emit);
void check_products_content_id(const ProductsFile& file, const Emit& emit);
void check_products_datatype(const ProductsFile& file, const Emit& emit);
void check_products_updated(const ProductsFile& file, const Emit& emit);
Check check_products_empty();
void check_aliases(const ProductsFile& file, const Emit& emit);
void check_version_order(const Product& product, const Emit& emit);
void check_version_style(const Product& product, const Emit& emit);
void check_version_serial(const Product& product, const Emit& emit);

// format_items.cpp
void check_size_missing(const Item& item, const Emit& emit);
void check_size_type(const Item& item, const Emit& emit);
void check_sha256_missing(const Item& item, const Emit& emit);
void check_sha256_form(const Item& item, const Emit& emit);
void check_path_unsafe(const Item& item, const Emit& emit);
/// That it has no characters that some client quotes and some does not.
void check_path_chars(const Item& item, const Emit& emit);
Check check_path_contents();
/// That last components of paths are unique in a version.
void check_basenames(const Version& version, const Emit& emit);

/// Says so where a time is neither RFC 2822 with a numeric zone nor ISO 8601.
void check_stamp(const std::string& text, const Place& place, const Emit& emit);

/// Says so where the item has it neither itself nor from above, or has another type than a string.
void require_text(const Item& item, const char* key, const Emit& emit);

/// 64 characters of 0-9a-f.
bool is_sha256(std::string_view text);

}  // namespace sstream::lint
