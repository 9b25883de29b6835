#include "sstream/generate/scan_layout.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"

namespace sstream {

namespace {

using Values = std::map<std::string, std::string>;

bool is_hidden(const std::string& path) {
  return path.starts_with('.') || path.find("/.") != std::string::npos;
}

/// Names that say where an item is in the tree, and are no tags.
bool is_place(const std::string& name) {
  return name == "product" || name == "version" || name == "item";
}

/// The files to be looked at, sorted; directories and links to be left alone are not entered.
std::vector<std::string> files_below(const std::string& directory,
                                     std::vector<std::string>& left_out,
                                     const std::stop_token& stop) {
  std::vector<std::string> files;
  const auto root = base::open_directory(directory);
  base::walk_tree(root.fd(), [&](const std::string& path, const struct stat& status) {
    base::check_stop(stop);
    if (is_hidden(path) || path == "streams") {
      return false;
    }
    if (S_ISREG(status.st_mode)) {
      files.push_back(path);
    } else if (!S_ISDIR(status.st_mode)) {
      left_out.push_back(base::cat(path, ": is no regular file"));
    }
    return true;
  });
  std::sort(files.begin(), files.end());
  return files;
}

/// How products are called where nobody says: the content id and what the layout says besides the
/// place.
std::string default_product(const ScanOptions& options, const ScanLayout& layout) {
  if (layout.has("product")) {
    return "{product}";
  }
  auto text = options.content_id;
  for (const auto& name : layout.names()) {
    if (!is_place(name) && name != "ftype") {
      text += base::cat(":{", name, "}");
    }
  }
  return text;
}

ItemRecord record_of(const std::string& path, Values values, const ScanOptions& options,
                     const ScanLayout& product) {
  auto& ftype = values["ftype"];
  auto& item = values["item"];
  ftype = ftype.empty() ? item : ftype;
  item = item.empty() ? ftype : item;
  auto all = options.tags;
  for (const auto& [name, value] : values) {
    all[name] = value;
  }
  ItemRecord record;
  record.content_id = options.content_id;
  record.where = base::cat(options.directory, "/", path);
  record.id = {product.fill(all), values.at("version"), item};
  record.tags = {{"path", path}};
  for (const auto& [name, value] : values) {
    if (!is_place(name)) {
      record.tags[name] = value;
    }
  }
  settle_tags(record);
  return record;
}

}  // namespace

ScanLayout::ScanLayout(const std::string& text, const std::string& option) : option_(option) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto open = text.find('{', at);
    if (open != at) {
      parts_.push_back({false, text.substr(at, open - at)});
    }
    if (open == std::string::npos) {
      break;
    }
    const auto close = text.find('}', open);
    if (close == std::string::npos) {
      throw base::Error(base::Errc::usage, base::cat(option_, " '", text, "': a { without its }"));
    }
    add_name(text.substr(open + 1, close - open - 1));
    at = close + 1;
  }
}

void ScanLayout::add_name(const std::string& name) {
  const auto fail = [&](const std::string& reason) {
    throw base::Error(base::Errc::usage, base::cat(option_, ": {", name, "}: ", reason));
  };
  if (name.empty() || name.find('{') != std::string::npos) {
    fail("is no name");
  }
  if (has(name)) {
    fail("stands there twice");
  }
  if (!parts_.empty() && parts_.back().is_name) {
    fail("nothing is between it and the name before");
  }
  parts_.push_back({true, name});
  names_.push_back(name);
}

bool ScanLayout::has(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

std::optional<Values> ScanLayout::match(std::string_view text) const {
  Values values;
  return match_from(0, text, values) ? std::optional(std::move(values)) : std::nullopt;
}

bool ScanLayout::match_from(std::size_t part, std::string_view rest, Values& values) const {
  if (part == parts_.size()) {
    return rest.empty();
  }
  const auto& [is_name, text] = parts_[part];
  if (!is_name) {
    return rest.starts_with(text) && match_from(part + 1, rest.substr(text.size()), values);
  }
  const auto longest = std::min(rest.find('/'), rest.size());
  const bool last = part + 1 == parts_.size();
  for (auto length = last ? longest : std::size_t{1}; length >= 1 && length <= longest; ++length) {
    if (match_from(part + 1, rest.substr(length), values)) {
      values[text] = std::string(rest.substr(0, length));
      return true;
    }
  }
  return false;
}

std::string ScanLayout::fill(const Values& values) const {
  std::string text;
  for (const auto& part : parts_) {
    const auto found = values.find(part.text);
    if (part.is_name && found == values.end()) {
      throw base::Error(base::Errc::usage, base::cat(option_, ": {", part.text,
                                                     "} is neither in --layout nor a --tag"));
    }
    text += part.is_name ? found->second : part.text;
  }
  return text;
}

ScanResult scan_directory(const ScanOptions& options, const std::stop_token& stop) {
  const ScanLayout layout(options.layout, "--layout");
  if (!layout.has("version") || (!layout.has("item") && !layout.has("ftype"))) {
    throw base::Error(
        base::Errc::usage,
        base::cat("--layout '", options.layout, "': must have {version}, and {item} or {ftype}"));
  }
  const ScanLayout product(
      options.product.empty() ? default_product(options, layout) : options.product, "--product");
  ScanResult result;
  for (const auto& path : files_below(options.directory, result.left_out, stop)) {
    if (auto values = layout.match(path)) {
      result.records.push_back(record_of(path, std::move(*values), options, product));
    } else {
      result.left_out.push_back(base::cat(path, ": does not fit the layout ", options.layout));
    }
  }
  return result;
}

}  // namespace sstream
