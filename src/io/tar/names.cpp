#include "io/tar/names.h"

#include "base/error.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"

namespace io {

namespace {

constexpr std::size_t longest_component = 255;
constexpr std::size_t longest_name = 4096;

[[noreturn]] void refuse(std::string_view name, std::string_view reason) {
  throw base::Error(base::Errc::untrusted,
                    base::cat("entry '", base::escape_control(name.substr(0, 256)), "': ", reason));
}

}  // namespace

std::string normal_entry_name(std::string_view raw) {
  if (raw.empty()) {
    refuse(raw, "empty name");
  }
  if (raw.front() == '/') {
    refuse(raw, "absolute name");
  }
  if (raw.size() > longest_name) {
    refuse(raw, "name longer than 4096 bytes");
  }
  std::string out;
  for (const auto& part : base::split(raw, '/')) {
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == "..") {
      refuse(raw, "leads out of the archive with '..'");
    }
    if (part.size() > longest_component) {
      refuse(raw, "component longer than 255 bytes");
    }
    out += out.empty() ? "" : "/";
    out += part;
  }
  return out;
}

void EntryNames::require_directories(const std::string& name) {
  for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const auto parent = name.substr(0, slash);
    const auto kind = known_.try_emplace(fingerprint64(parent)).first->second;
    if (kind && kind != EntryKind::directory) {
      refuse(name, base::cat("is below '", base::escape_control(parent), "', which is ",
                             kind == EntryKind::symlink ? "a symlink" : "no directory"));
    }
  }
}

void EntryNames::add(const std::string& name, EntryKind kind) {
  require_directories(name);
  const auto [entry, added] = known_.try_emplace(fingerprint64(name), kind);
  if (added) {
    return;
  }
  if (entry->second) {
    refuse(name, "comes twice");
  }
  if (kind != EntryKind::directory) {
    refuse(name, "is no directory, but an earlier entry is below it");
  }
  entry->second = kind;
}

void EntryNames::require_link_target(const std::string& name, const std::string& target) const {
  const auto entry = known_.find(fingerprint64(target));
  if (entry == known_.end()) {
    refuse(name, base::cat("hard link to '", base::escape_control(target),
                           "', which no earlier entry is"));
  }
  if (!entry->second || entry->second == EntryKind::directory) {
    refuse(name, base::cat("hard link to the directory '", base::escape_control(target), "'"));
  }
}

}  // namespace io
