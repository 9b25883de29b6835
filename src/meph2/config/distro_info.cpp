#include "meph2/config/distro_info.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/strings.h"
#include "meph2/config/stream_config.h"

namespace meph2 {

namespace {

bool date_or_empty(const std::string& text) {
  constexpr std::string_view form = "0000-00-00";
  return text.empty() || std::ranges::equal(text, form, [](char found, char wanted) {
           return wanted == '0' ? found >= '0' && found <= '9' : found == wanted;
         });
}

}  // namespace

bool DistroRelease::supported(const std::string& date) const {
  if (!created.empty() && date < created) {
    return false;
  }
  return eol.empty() || date <= eol || date <= eol_server || date <= eol_extended;
}

DistroInfo::DistroInfo(std::string_view csv, const std::string& name) {
  std::vector<std::string> names;
  std::size_t number = 0;
  for (const auto& line : base::split(csv, '\n')) {
    ++number;
    if (base::trim(line).empty()) {
      continue;
    }
    if (names.empty()) {
      names = base::split_list(line, ',');
      continue;
    }
    // Columns that the line lacks are empty.
    std::map<std::string, std::string> row;
    const auto values = base::split(line, ',');
    for (std::size_t i = 0; i < std::min(names.size(), values.size()); ++i) {
      row.emplace(names[i], base::trim(values[i]));
    }
    DistroRelease release;
    release.series = row["series"];
    release.title = row["version"];
    release.codename = row["codename"];
    release.created = row["created"];
    release.eol = row["eol"];
    release.eol_server = row["eol-server"];
    release.eol_esm = row["eol-esm"];
    release.eol_extended = release.eol_esm.empty() ? row["eol-lts"] : release.eol_esm;
    if (release.series.empty() || !date_or_empty(release.eol) || !date_or_empty(release.eol_esm) ||
        !date_or_empty(release.created)) {
      throw base::Error(base::Errc::failed,
                        base::cat(name, ":", number, ": not a line of distro-info"));
    }
    releases_[release.series] = release;
  }
}

DistroInfo DistroInfo::load(const std::string& file) {
  const auto directory = environment("DISTRO_INFO_DIR");
  const auto path = base::cat(directory.empty() ? "/usr/share/distro-info" : directory, "/", file);
  try {
    return {base::read_file(path, 1U << 20U), path};
  } catch (base::Error& error) {
    if (error.code() == base::Errc::not_found) {
      error.set_state("install the package distro-info-data, or set DISTRO_INFO_DIR");
    }
    throw;
  }
}

const DistroRelease* DistroInfo::find(const std::string& series) const {
  const auto found = releases_.find(series);
  return found == releases_.end() ? nullptr : &found->second;
}

std::set<std::string> DistroInfo::series() const {
  std::set<std::string> names;
  for (const auto& [name, release] : releases_) {
    names.insert(name);
  }
  return names;
}

}  // namespace meph2
