#include "meph2/config/distro_info.h"

#include <cstdlib>
#include <vector>

#include "base/error.h"
#include "base/fs/file.h"
#include "base/strings.h"

namespace meph2 {

namespace {

/// One line by column name; columns that the line lacks are empty.
class Row {
 public:
  Row(const std::vector<std::string>& names, const std::string& line)
      : names_(names), values_(base::split(line, ',')) {}

  std::string operator[](std::string_view name) const {
    for (std::size_t i = 0; i < names_.size() && i < values_.size(); ++i) {
      if (names_[i] == name) {
        return std::string(base::trim(values_[i]));
      }
    }
    return {};
  }

 private:
  const std::vector<std::string>& names_;
  std::vector<std::string> values_;
};

bool date_or_empty(const std::string& text) {
  if (text.empty()) {
    return true;
  }
  if (text.size() != 10) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 4 || i == 7;
    if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') {
      return false;
    }
  }
  return true;
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
    const Row row(names, line);
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
  const char* directory = std::getenv("DISTRO_INFO_DIR");
  const auto path = base::cat(
      directory == nullptr || *directory == '\0' ? "/usr/share/distro-info" : directory, "/", file);
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
