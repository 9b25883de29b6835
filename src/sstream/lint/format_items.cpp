#include <algorithm>
#include <memory>
#include <unordered_map>

#include "base/fs/beneath.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"
#include "sstream/lint/document.h"
#include "sstream/lint/format_checks.h"
#include "sstream/lint/report.h"

namespace sstream::lint {

namespace {

/// Only what can be downloaded needs size and checksum.
bool has_path(const Item& item) {
  return item.inherited("path") != nullptr;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._~+/-:").find(c) != std::string_view::npos;
}

std::string_view last_part(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

}  // namespace

bool is_sha256(std::string_view text) {
  constexpr std::size_t length = 64;
  return text.size() == length && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

void require_text(const Item& item, const char* key, const Emit& emit) {
  const auto* value = item.inherited(key);
  if (value == nullptr) {
    emit(item.place(), base::cat("'", key, "' is missing"));
  } else if (!value->is_string()) {
    emit(item.place(key), wrong_type(*value, "string"));
  }
}

void check_size_missing(const Item& item, const Emit& emit) {
  if (has_path(item) && item.inherited("size") == nullptr) {
    emit(item.place(), "'size' is missing");
  }
}

void check_size_type(const Item& item, const Emit& emit) {
  const auto* size = item.inherited("size");
  if (size != nullptr && !size->is_number_unsigned()) {
    emit(item.place("size"),
         size->is_number_integer() ? "is negative" : wrong_type(*size, "integer"));
  }
}

void check_sha256_missing(const Item& item, const Emit& emit) {
  if (has_path(item) && item.inherited("sha256") == nullptr) {
    emit(item.place(), "'sha256' is missing");
  }
}

void check_sha256_form(const Item& item, const Emit& emit) {
  const auto* value = item.inherited("sha256");
  if (value == nullptr) {
    return;
  }
  if (!value->is_string()) {
    emit(item.place("sha256"), wrong_type(*value, "string"));
  } else if (!is_sha256(value->get_ref<const std::string&>())) {
    emit(item.place("sha256"), base::cat(in_quotes(value->get_ref<const std::string&>()),
                                         " is not 64 lower-case hexadecimal digits"));
  }
}

void check_path_unsafe(const Item& item, const Emit& emit) {
  const auto* value = item.inherited("path");
  if (value == nullptr) {
    return;
  }
  if (!value->is_string()) {
    emit(item.place("path"), wrong_type(*value, "string"));
    return;
  }
  const auto& path = value->get_ref<const std::string&>();
  const auto first = std::string_view(path).substr(0, path.find('/'));
  if (const auto* reason = base::unsafe_path_reason(path)) {
    emit(item.place("path"), base::cat(in_quotes(path), ": ", reason));
  } else if (first.find(':') != first.npos) {
    emit(item.place("path"),
         base::cat(in_quotes(path), ": what stands before the colon is taken for a URL's scheme"));
  } else if (first == "streams" || first == ".data") {
    emit(item.place("path"), base::cat(in_quotes(path), ": lies where the metadata is"));
  }
}

void check_path_chars(const Item& item, const Emit& emit) {
  const auto* path = item.inherited_text("path");
  if (path != nullptr && !std::all_of(path->begin(), path->end(), is_plain)) {
    emit(item.place("path"), base::cat(in_quotes(*path),
                                       " has characters that not all clients "
                                       "quote (other than A-Za-z0-9._~+/-)"));
  }
}

Check check_path_contents() {
  auto known = std::make_shared<std::unordered_map<std::uint64_t, std::uint64_t>>();
  Check check;
  check.item = [known](const Item& item, const Emit& emit) {
    const auto* path = item.inherited_text("path");
    const auto* sha256 = item.inherited_text("sha256");
    if (path == nullptr || sha256 == nullptr) {
      return;
    }
    const auto content = io::fingerprint64(*sha256);
    const auto [at, added] = known->emplace(io::fingerprint64(*path), content);
    if (!added && at->second != content) {
      emit(item.place("path"),
           base::cat(in_quotes(*path), " has another sha256 at an item before this one"));
    }
  };
  return check;
}

void check_basenames(const Version& version, const Emit& emit) {
  for (const auto& item : version) {
    const auto* path = item.inherited_text("path");
    if (path == nullptr) {
      continue;
    }
    for (const auto* other = version.begin(); other != &item; ++other) {
      const auto* taken = other->inherited_text("path");
      if (taken != nullptr && last_part(*taken) == last_part(*path)) {
        emit(item.place("path"),
             base::cat("has the same last component as the path of ", in_quotes(other->name)));
        break;
      }
    }
  }
}

}  // namespace sstream::lint
