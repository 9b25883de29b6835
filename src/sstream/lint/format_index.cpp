#include <algorithm>
#include <map>
#include <set>

#include "base/clock.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace sstream::lint {

namespace {

using Entry = std::function<void(const std::string& name, const Json& entry, const Place& place)>;

/// The entries that are objects; check_entry_structure() tells of the others.
void for_each_entry(const IndexDocument& index, const Entry& visit) {
  if (const auto* entries = index.entries()) {
    for (const auto& [name, entry] : entries->get_ref<const Json::object_t&>()) {
      if (entry.is_object()) {
        visit(name, entry, index.place().below("index").below(name));
      }
    }
  }
}

const Json* member(const Json& node, const char* key) {
  const auto at = node.find(key);
  return at == node.end() ? nullptr : &*at;
}

const std::string* text(const Json& node, const char* key) {
  const auto* value = member(node, key);
  return value != nullptr && value->is_string() ? &value->get_ref<const std::string&>() : nullptr;
}

bool is_products(const Json& entry) {
  const auto* format = text(entry, "format");
  return format == nullptr || *format == "products:1.0";
}

std::set<std::string> listed_products(const Json& entry) {
  std::set<std::string> names;
  if (const auto* products = member(entry, "products");
      products != nullptr && products->is_array()) {
    for (const auto& name : *products) {
      if (name.is_string()) {
        names.insert(name.get<std::string>());
      }
    }
  }
  return names;
}

void stamp(const Json& node, const Place& place, const Emit& emit) {
  const auto* updated = member(node, "updated");
  if (updated == nullptr) {
    emit(place, "'updated' is missing");
  } else if (updated->is_string() && !is_stamp(updated->get_ref<const std::string&>())) {
    emit(place.below("updated"), base::cat(in_quotes(updated->get_ref<const std::string&>()),
                                           " is no 'Thu, 01 Jan 1970 00:00:00 +0000'"));
  }
}

}  // namespace

bool is_stamp(const std::string& text) {
  return base::parse_stamp(text).has_value();
}

Check on_index(void (*check)(const IndexDocument& index, const Emit& emit)) {
  Check result;
  result.index = check;
  return result;
}

Check check_index_format() {
  return on_index([](const IndexDocument& index, const Emit& emit) {
    if (!index.json.is_object()) {
      return;
    }
    const auto* format = member(index.json, "format");
    if (format == nullptr) {
      emit(index.place(), "'format' is missing, must be 'index:1.0'");
    } else if (*format != "index:1.0") {
      emit(index.place().below("format"), "must be 'index:1.0'");
    }
  });
}

Check check_index_updated() {
  return on_index([](const IndexDocument& index, const Emit& emit) {
    if (index.json.is_object()) {
      stamp(index.json, index.place(), emit);
    }
  });
}

Check check_index_updated_type() {
  return on_index([](const IndexDocument& index, const Emit& emit) {
    const auto* updated = index.json.is_object() ? member(index.json, "updated") : nullptr;
    if (updated != nullptr && !updated->is_string()) {
      emit(index.place().below("updated"), wrong_type(*updated, "string"));
    }
  });
}

Check check_entry_structure() {
  return on_index([](const IndexDocument& index, const Emit& emit) {
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
  });
}

Check check_entry_path() {
  return on_index([](const IndexDocument& index, const Emit& emit) {
    for_each_entry(index, [&](const std::string&, const Json& entry, const Place& place) {
      if (member(entry, "path") == nullptr) {
        emit(place, "'path' is missing");
      }
    });
  });
}

Check check_entry_path_unsafe() {
  return on_index([](const IndexDocument& index, const Emit& emit) {
    for_each_entry(index, [&](const std::string&, const Json& entry, const Place& place) {
      const auto* path = text(entry, "path");
      if (path == nullptr) {
        return;
      }
      if (const auto* reason = base::unsafe_path_reason(*path)) {
        emit(place.below("path"), base::cat(in_quotes(*path), ": ", reason));
      } else if (path->find("://") != path->npos) {
        emit(place.below("path"), base::cat(in_quotes(*path), ": is a URL"));
      }
    });
  });
}

Check check_entry_path_suffix() {
  Check check;
  check.each_index = [](const IndexDocument& index, const Emit& emit) {
    const std::string_view suffix = index.is_signed ? ".sjson" : ".json";
    for_each_entry(index, [&](const std::string&, const Json& entry, const Place& place) {
      const auto* path = text(entry, "path");
      if (path != nullptr && is_products(entry) && !path->ends_with(suffix)) {
        emit(place.below("path"), base::cat(in_quotes(*path), " does not end in ", suffix));
      }
    });
  };
  return check;
}

Check check_entry_updated() {
  return on_index([](const IndexDocument& index, const Emit& emit) {
    for_each_entry(index, [&](const std::string&, const Json& entry, const Place& place) {
      stamp(entry, place, emit);
    });
  });
}

Check check_entry_format() {
  return on_index([](const IndexDocument& index, const Emit& emit) {
    for_each_entry(index, [&](const std::string&, const Json& entry, const Place& place) {
      const auto* format = text(entry, "format");
      const auto* type = text(entry, "datatype");
      if (type != nullptr && *type == "release-notifications") {
        return;
      }
      if (member(entry, "format") == nullptr) {
        emit(place, "'format' is missing, must be 'products:1.0'");
      } else if (format != nullptr && *format != "products:1.0") {
        emit(place.below("format"),
             base::cat("is ", in_quotes(*format), ", must be 'products:1.0'"));
      }
    });
  });
}

Check check_entry_products() {
  return on_index([](const IndexDocument& index, const Emit& emit) {
    for_each_entry(index, [&](const std::string&, const Json& entry, const Place& place) {
      const auto* products = member(entry, "products");
      if (products == nullptr) {
        emit(place, "'products' is missing");
        return;
      }
      const bool strings =
          products->is_array() && std::all_of(products->begin(), products->end(),
                                              [](const Json& name) { return name.is_string(); });
      if (!strings) {
        emit(place.below("products"), "must be an array of strings");
      } else if (products->empty()) {
        emit(place.below("products"), "is empty");
      }
    });
  });
}

Check check_entry_products_differ() {
  Check check;
  check.tail = [](const ProductsFile& file, const Emit& emit) {
    if (file.listed == nullptr || !file.listed->is_object()) {
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
  return on_index([](const IndexDocument& index, const Emit& emit) {
    std::map<std::string, std::string> paths;
    for_each_entry(index, [&](const std::string&, const Json& entry, const Place& place) {
      const auto* path = text(entry, "path");
      if (path == nullptr) {
        return;
      }
      const auto [at, added] = paths.emplace(base::base_name(*path), *path);
      if (!added && at->second != *path) {
        emit(place.below("path"),
             base::cat("has the same last component as ", in_quotes(at->second)));
      }
    });
  });
}

Check check_content_id_differs() {
  return on_head([](const ProductsFile& file, const Emit& emit) {
    const auto* id = file.text("content_id");
    if (id != nullptr && file.listed != nullptr && *id != file.entry) {
      emit(file.place().below("content_id"),
           base::cat("is ", in_quotes(*id), ", but the index says ", in_quotes(file.entry)));
    }
  });
}

}  // namespace sstream::lint
