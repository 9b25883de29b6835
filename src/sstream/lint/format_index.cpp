#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "base/clock.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace sstream::lint {

namespace {

std::set<std::string> listed_products(const Json& entry) {
  std::set<std::string> names;
  const auto* products = member(entry, "products");
  if (products != nullptr && products->is_array()) {
    for (const auto& product : *products) {
      if (const auto* name = text_of(&product)) {
        names.insert(*name);
      }
    }
  }
  return names;
}

/// The `updated` of an index or of an entry.
void check_updated(const Json& node, const Place& place, const Emit& emit) {
  const auto* updated = member(node, "updated");
  if (updated == nullptr) {
    emit(place, "'updated' is missing");
  } else if (const auto* text = text_of(updated)) {
    check_stamp(*text, place.below("updated"), emit);
  }
}

}  // namespace

void check_stamp(const std::string& text, const Place& place, const Emit& emit) {
  if (!base::parse_stamp(text)) {
    emit(place, base::cat(in_quotes(text), " is no 'Thu, 01 Jan 1970 00:00:00 +0000'"));
  }
}

void check_index_format(const IndexDocument& index, const Emit& emit) {
  if (!index.json.is_object()) {
    return;
  }
  const auto* format = member(index.json, "format");
  if (format == nullptr) {
    emit(index.place(), "'format' is missing, must be 'index:1.0'");
  } else if (*format != "index:1.0") {
    emit(index.place().below("format"), "must be 'index:1.0'");
  }
}

void check_index_updated(const IndexDocument& index, const Emit& emit) {
  if (index.json.is_object()) {
    check_updated(index.json, index.place(), emit);
  }
}

void check_index_updated_type(const IndexDocument& index, const Emit& emit) {
  const auto* updated = member(index.json, "updated");
  if (updated != nullptr && !updated->is_string()) {
    emit(index.place().below("updated"), wrong_type(*updated, "string"));
  }
}

void check_entry_structure(const IndexDocument& index, const Emit& emit) {
  const auto* entries = index.entries();
  if (entries == nullptr) {
    return;
  }
  if (entries->empty()) {
    emit(index.place().below("index"), "lists nothing");
  }
  for (const auto& [name, entry] : entries->get_ref<const Json::object_t&>()) {
    const auto place = index.place().below("index").below(name);
    if (!entry.is_object()) {
      emit(place, wrong_type(entry, "object"));
      continue;
    }
    for (const char* key : {"path", "updated", "format", "datatype"}) {
      const auto* value = member(entry, key);
      if (value != nullptr && !value->is_string()) {
        emit(place.below(key), wrong_type(*value, "string"));
      }
    }
  }
}

void check_entry_path(const Entry& entry, const Emit& emit) {
  if (entry.find("path") == nullptr) {
    emit(entry.place(), "'path' is missing");
  }
}

void check_entry_path_unsafe(const Entry& entry, const Emit& emit) {
  const auto* path = entry.text("path");
  if (path == nullptr) {
    return;
  }
  if (const auto* reason = base::unsafe_path_reason(*path)) {
    emit(entry.place("path"), base::cat(in_quotes(*path), ": ", reason));
  } else if (path->find("://") != path->npos) {
    emit(entry.place("path"), base::cat(in_quotes(*path), ": is a URL"));
  }
}

Check check_entry_path_suffix() {
  Check check;
  check.each_entry = [](const Entry& entry, const Emit& emit) {
    const std::string_view suffix = entry.index->is_signed ? ".sjson" : ".json";
    const auto* path = entry.text("path");
    if (path != nullptr && entry.is_products() && !path->ends_with(suffix)) {
      emit(entry.place("path"), base::cat(in_quotes(*path), " does not end in ", suffix));
    }
  };
  return check;
}

void check_entry_updated(const Entry& entry, const Emit& emit) {
  check_updated(*entry.json, entry.place(), emit);
}

void check_entry_format(const Entry& entry, const Emit& emit) {
  const auto* type = entry.text("datatype");
  if (type != nullptr && *type == "release-notifications") {
    return;
  }
  if (entry.find("format") == nullptr) {
    emit(entry.place(), "'format' is missing, must be 'products:1.0'");
  } else if (!entry.is_products()) {
    emit(entry.place("format"),
         base::cat("is ", in_quotes(*entry.text("format")), ", must be 'products:1.0'"));
  }
}

void check_entry_products(const Entry& entry, const Emit& emit) {
  const auto* products = entry.find("products");
  if (products == nullptr) {
    emit(entry.place(), "'products' is missing");
    return;
  }
  const bool strings =
      products->is_array() && std::all_of(products->begin(), products->end(),
                                          [](const Json& name) { return name.is_string(); });
  if (!strings) {
    emit(entry.place("products"), "must be an array of strings");
  } else if (products->empty()) {
    emit(entry.place("products"), "is empty");
  }
}

Check check_entry_products_differ() {
  Check check;
  check.tail = [](const ProductsFile& file, const Emit& emit) {
    if (file.listed == nullptr) {
      return;
    }
    const auto listed = listed_products(*file.listed);
    if (listed.empty()) {
      return;  // another rule
    }
    const std::set<std::string> held(file.products.begin(), file.products.end());
    const Place place("streams/v1/index.json", {"index", file.entry, "products"});
    for (const auto& name : held) {
      if (!listed.contains(name)) {
        emit(place, base::cat("does not list ", in_quotes(name), " of ", file.file));
      }
    }
    for (const auto& name : listed) {
      if (!held.contains(name)) {
        emit(place, base::cat("lists ", in_quotes(name), ", which ", file.file, " does not hold"));
      }
    }
  };
  return check;
}

Check check_products_basename() {
  // By index and last component.
  const auto paths = std::make_shared<std::map<std::pair<std::string, std::string>, std::string>>();
  Check check;
  check.entry = [paths](const Entry& entry, const Emit& emit) {
    const auto* path = entry.text("path");
    if (path == nullptr) {
      return;
    }
    const auto [at, added] =
        paths->emplace(std::pair(entry.index->file, base::base_name(*path)), *path);
    if (!added && at->second != *path) {
      emit(entry.place("path"),
           base::cat("has the same last component as ", in_quotes(at->second)));
    }
  };
  return check;
}

void check_content_id_differs(const ProductsFile& file, const Emit& emit) {
  const auto* id = file.text("content_id");
  if (id != nullptr && file.listed != nullptr && *id != file.entry) {
    emit(file.place().below("content_id"),
         base::cat("is ", in_quotes(*id), ", but the index says ", in_quotes(file.entry)));
  }
}

}  // namespace sstream::lint
