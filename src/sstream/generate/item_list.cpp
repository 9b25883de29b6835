#include "sstream/generate/item_list.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"

namespace sstream {

namespace {

constexpr std::array<const char*, 4> name_fields = {"content_id", "product_name", "version_name",
                                                    "item_name"};

/// The line on which each element of a JSON array begins. The text is known to be JSON.
std::vector<std::size_t> element_lines(std::string_view text) {
  std::vector<std::size_t> lines;
  std::size_t line = 1;
  std::size_t depth = 0;
  bool waiting = false;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1U : 0U;
      in_string = c != '"';
      continue;
    }
    line += c == '\n' ? 1U : 0U;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      continue;
    }
    if (depth == 1 && waiting && c != ']') {
      lines.push_back(line);
      waiting = false;
    }
    in_string = c == '"';
    if (c == '[' || c == '{') {
      waiting = ++depth == 1;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 1) {
      waiting = true;
    }
  }
  return lines;
}

std::string take_name(Json& tags, const std::string& field, const std::string& fallback,
                      const std::string& where) {
  const auto found = tags.find(field);
  if (found == tags.end()) {
    if (fallback.empty()) {
      refuse_field(where, field, "is missing");
    }
    return fallback;
  }
  if (!found->is_string()) {
    refuse_field(where, field, base::cat("is of type ", io::type_name(*found), ", must be string"));
  }
  auto name = found->get<std::string>();
  tags.erase(found);
  return name;
}

ItemRecord record_of(Json tags, const std::string& where, const std::string& content_id) {
  ItemRecord record;
  record.where = where;
  record.content_id = take_name(tags, name_fields[0], content_id, where);
  record.id.product = take_name(tags, name_fields[1], {}, where);
  record.id.version = take_name(tags, name_fields[2], {}, where);
  record.id.item = take_name(tags, name_fields[3], {}, where);
  record.tags = std::move(tags);
  settle_tags(record);
  return record;
}

std::vector<ItemRecord> parse_json_list(std::string_view text, const std::string& name,
                                        const std::string& content_id) {
  auto json = io::parse_json(text, name);
  if (!json.is_array()) {
    throw base::Error(base::Errc::untrusted, base::cat(name, ":1: is of type ", io::type_name(json),
                                                       ", must be an array of items"));
  }
  const auto lines = element_lines(text);
  std::vector<ItemRecord> records;
  records.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto where = base::cat(name, ":", lines.at(i));
    if (!json[i].is_object()) {
      refuse_field(where, base::cat("item ", i + 1),
                   base::cat("is of type ", io::type_name(json[i]), ", must be object"));
    }
    // Of the document or of where it was read, not of the item: sstream-query shows them.
    for (const char* foreign : {"item_url", "format", "updated"}) {
      json[i].erase(foreign);
    }
    records.push_back(record_of(std::move(json[i]), where, content_id));
  }
  return records;
}

void add_field(Json& tags, const std::string& field, const std::string& where) {
  const auto equals = field.find('=');
  const auto key = field.substr(0, equals);
  if (equals == std::string::npos || key.empty()) {
    refuse_field(where, base::cat("'", field, "'"), "must be KEY=VALUE");
  }
  if (std::find(name_fields.begin(), name_fields.end(), key) != name_fields.end()) {
    refuse_field(where, key, "stands in a column of its own");
  }
  if (tags.contains(key)) {
    refuse_field(where, key, "is given twice");
  }
  tags[key] = field.substr(equals + 1);
}

ItemRecord record_of_line(const std::string& line, const std::string& where) {
  const auto fields = base::split(line, '\t');
  if (fields.size() < name_fields.size()) {
    refuse_field(where, base::cat(fields.size(), " columns"),
                 "must be at least 4, between tabs: content_id product_name version_name "
                 "item_name [KEY=VALUE ...]");
  }
  auto tags = Json::object();
  for (std::size_t i = name_fields.size(); i < fields.size(); ++i) {
    if (!fields[i].empty()) {
      add_field(tags, fields[i], where);
    }
  }
  for (std::size_t i = 0; i < name_fields.size(); ++i) {
    tags[name_fields[i]] = fields[i];
  }
  return record_of(std::move(tags), where, {});
}

std::vector<ItemRecord> parse_tab_list(std::string_view text, const std::string& name) {
  std::vector<ItemRecord> records;
  std::size_t number = 0;
  for (auto line : base::split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    const auto where = base::cat(name, ":", number);
    if (!base::valid_utf8(line)) {
      refuse_field(where, "the line", "must be UTF-8");
    }
    records.push_back(record_of_line(line, where));
  }
  return records;
}

void settle_size(const std::string& where, Json& size) {
  std::optional<std::uint64_t> bytes;
  if (size.is_number_unsigned()) {
    bytes = size.get<std::uint64_t>();
  } else if (size.is_string()) {
    bytes = base::parse_decimal(size.get_ref<const std::string&>());
  }
  if (!bytes || *bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    refuse_field(where, "size", "must be a number of bytes");
  }
  size = *bytes;
}

void settle_digest(const std::string& where, const char* name, std::size_t digits, Json& value) {
  if (!value.is_string() || value.get_ref<const std::string&>().size() != digits ||
      !base::is_hex(value.get_ref<const std::string&>())) {
    refuse_field(where, name, base::cat("must be ", digits, " hex digits"));
  }
  value = base::to_lower(value.get<std::string>());
}

void require_path(const std::string& where, const Json& path) {
  if (!path.is_string()) {
    refuse_field(where, "path", base::cat("is of type ", io::type_name(path), ", must be string"));
  }
  const auto& text = path.get_ref<const std::string&>();
  if (const char* reason = base::unsafe_path_reason(text); reason != nullptr) {
    refuse_field(where, "path", base::cat("'", text, "': ", reason));
  }
  if (text.starts_with("streams/") || text.starts_with(".data/")) {
    refuse_field(where, "path", base::cat("'", text, "' is kept for metadata and private files"));
  }
}

}  // namespace

void refuse_field(const std::string& where, std::string_view field, std::string_view reason) {
  throw base::Error(base::Errc::untrusted, base::cat(where, ": ", field, ": ", reason));
}

std::optional<std::string> ItemRecord::path() const {
  const auto found = tags.find("path");
  return found == tags.end() ? std::nullopt : std::optional(found->get<std::string>());
}

void settle_tags(ItemRecord& record) {
  const auto& where = record.where;
  const std::array<const std::string*, 4> names = {&record.content_id, &record.id.product,
                                                   &record.id.version, &record.id.item};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (const char* reason = bad_name_reason(*names.at(i)); reason != nullptr) {
      refuse_field(where, name_fields.at(i), reason);
    }
  }
  static const std::set<std::string> structural = {"_aliases", "items", "products", "versions"};
  for (auto& [key, value] : record.tags.get_ref<Json::object_t&>()) {
    if (structural.contains(key)) {
      refuse_field(where, key, "may not be a tag of an item: it makes the tree");
    }
    if (key == "size") {
      settle_size(where, value);
    } else if (key == "path") {
      require_path(where, value);
    } else if (key == "md5") {
      settle_digest(where, "md5", 32, value);
    } else if (key == "sha256") {
      settle_digest(where, "sha256", 64, value);
    } else if (key == "sha512") {
      settle_digest(where, "sha512", 128, value);
    }
  }
}

std::vector<ItemRecord> parse_items(std::string_view text, const std::string& name,
                                    ListFormat format, const std::string& content_id) {
  if (format == ListFormat::detect) {
    format = base::trim(text).starts_with('[') ? ListFormat::json : ListFormat::tab;
  }
  return format == ListFormat::json ? parse_json_list(text, name, content_id)
                                    : parse_tab_list(text, name);
}

}  // namespace sstream
