#include "meph2/image/steps/needs.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/strings.h"
#include "io/yaml/yaml.h"
#include "meph2/config/stream_config.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;
using io::Json;

[[noreturn]] void refuse(const io::Yaml& yaml, const std::string& pointer,
                         std::string_view reason) {
  throw Error(Errc::usage, base::cat(yaml.where(pointer), ": ", reason));
}

std::string text_at(const io::Yaml& yaml, const Json& value, const std::string& pointer) {
  if (!value.is_string()) {
    refuse(yaml, pointer, base::cat("string expected, not ", io::type_name(value)));
  }
  return value.get<std::string>();
}

std::vector<std::string> list_at(const io::Yaml& yaml, const Json& value,
                                 const std::string& pointer) {
  if (!value.is_array()) {
    refuse(yaml, pointer, base::cat("list expected, not ", io::type_name(value)));
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    out.push_back(text_at(yaml, value[i], io::pointer_to(pointer, i)));
  }
  return out;
}

std::map<std::string, std::string> map_at(const io::Yaml& yaml, const Json& value,
                                          const std::string& pointer) {
  if (!value.is_object()) {
    refuse(yaml, pointer, base::cat("mapping expected, not ", io::type_name(value)));
  }
  std::map<std::string, std::string> out;
  for (const auto& [key, each] : value.items()) {
    out[key] = text_at(yaml, each, io::pointer_to(pointer, key));
  }
  return out;
}

void take_proposed(const io::Yaml& yaml, const Json& value, const std::string& pointer,
                   ReleaseNeeds& needs) {
  if (!value.is_object()) {
    refuse(yaml, pointer, base::cat("mapping expected, not ", io::type_name(value)));
  }
  for (const auto& [key, each] : value.items()) {
    const auto where = io::pointer_to(pointer, key);
    if (key == "mirrors") {
      needs.proposed_mirrors = map_at(yaml, each, where);
    } else if (key == "suite") {
      needs.proposed_suite = text_at(yaml, each, where);
    } else if (key == "components") {
      needs.proposed_components = text_at(yaml, each, where);
    } else {
      refuse(yaml, where, "unknown key");
    }
  }
}

void take_row(const io::Yaml& yaml, const Json& row, const std::string& pointer,
              ReleaseNeeds& needs) {
  const std::array<std::pair<const char*, std::vector<std::string>*>, 10> lists = {{
      {"generator", &needs.initrd.generator},
      {"initrd_packages", &needs.initrd.initrd_packages},
      {"initrd_optional", &needs.initrd.initrd_optional},
      {"dracut_packages", &needs.initrd.dracut_packages},
      {"purge", &needs.initrd.purge},
      {"modules", &needs.initrd.modules},
      {"dracut_modules", &needs.initrd.dracut_modules},
      {"dracut_drivers", &needs.initrd.dracut_drivers},
      {"scratch_remove", &needs.initrd.scratch_remove},
      {"divert", &needs.initrd.divert},
  }};
  if (!row.is_object()) {
    refuse(yaml, pointer, base::cat("mapping expected, not ", io::type_name(row)));
  }
  for (const auto& [key, value] : row.items()) {
    const auto where = io::pointer_to(pointer, key);
    const auto* const name = &key;
    const auto list =
        std::ranges::find_if(lists, [name](const auto& each) { return each.first == *name; });
    if (list != lists.end()) {
      *list->second = list_at(yaml, value, where);
    } else if (key == "compression") {
      needs.compression = text_at(yaml, value, where);
    } else if (key == "files") {
      needs.initrd.files = map_at(yaml, value, where);
    } else if (key == "proposed") {
      take_proposed(yaml, value, where, needs);
    } else if (key != "os" && key != "codenames") {
      refuse(yaml, where, "unknown key");
    }
  }
}

bool fits(const io::Yaml& yaml, const Json& row, const std::string& pointer, const OsRelease& os) {
  if (!row.is_object() || !row.contains("os")) {
    refuse(yaml, pointer, "mapping with the key 'os' expected");
  }
  if (text_at(yaml, row["os"], io::pointer_to(pointer, "os")) != os.id) {
    return false;
  }
  if (!row.contains("codenames")) {
    return true;
  }
  const auto names = list_at(yaml, row["codenames"], io::pointer_to(pointer, "codenames"));
  return std::ranges::find(names, os.codename) != names.end();
}

std::string unquote(std::string_view value) {
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
      value.back() == value.front()) {
    value = value.substr(1, value.size() - 2);
  }
  return std::string(value);
}

}  // namespace

OsRelease parse_os_release(std::string_view text) {
  OsRelease out;
  for (const auto& line : base::split(text, '\n')) {
    const auto equals = line.find('=');
    const auto key = line.substr(0, equals);
    if (equals == std::string::npos) {
      continue;
    }
    const auto value = unquote(base::trim(std::string_view(line).substr(equals + 1)));
    if (key == "ID") {
      out.id = value;
    } else if (key == "VERSION_CODENAME" || (key == "UBUNTU_CODENAME" && out.codename.empty())) {
      out.codename = value;
    }
  }
  return out;
}

ReleaseNeeds read_needs(const std::string& path, const OsRelease& os) {
  const auto yaml = io::read_yaml(path);
  if (!yaml.value.is_object()) {
    refuse(yaml, "", "mapping expected");
  }
  for (const auto& [key, value] : yaml.value.items()) {
    if (key != "defaults" && key != "releases") {
      refuse(yaml, io::pointer_to("", key), "unknown key");
    }
  }
  ReleaseNeeds needs;
  if (yaml.value.contains("defaults")) {
    take_row(yaml, yaml.value["defaults"], "/defaults", needs);
  }
  if (!yaml.value.contains("releases") || !yaml.value["releases"].is_array()) {
    refuse(yaml, "/releases", "list expected");
  }
  const auto& rows = yaml.value["releases"];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto pointer = io::pointer_to("/releases", i);
    if (fits(yaml, rows[i], pointer, os)) {
      take_row(yaml, rows[i], pointer, needs);
      return needs;
    }
  }
  throw Error(Errc::usage, base::cat(path, ": no row fits the image (ID=", os.id,
                                     ", VERSION_CODENAME=", os.codename, "): add one"));
}

std::string default_needs_path() {
  return shipped_config("builder.yaml");
}

}  // namespace meph2::image
