#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace meph2 {

/// A release as distro-info-data describes it.
struct DistroRelease {
  std::string series;    ///< "noble"
  std::string title;     ///< "24.04 LTS"
  std::string codename;  ///< "Noble Numbat"
  std::string created;   ///< YYYY-MM-DD; empty: unknown
  std::string eol;       ///< empty: not yet known
  std::string eol_server;
  std::string eol_extended;  ///< eol-esm (Ubuntu) or eol-lts (Debian)
  std::string eol_esm;       ///< Ubuntu only: what streams publish as support_esm_eol

  /// Created by `date` (YYYY-MM-DD), and in standard or extended (ESM, LTS) support then.
  bool supported(const std::string& date) const;
};

/// The releases of one distribution, by series.
class DistroInfo {
 public:
  /// Error(failed) "FILE:LINE: ..." for what is not such a file.
  DistroInfo(std::string_view csv, const std::string& name);

  /// A file of the package distro-info-data: below $DISTRO_INFO_DIR, else /usr/share/distro-info.
  static DistroInfo load(const std::string& file);

  /// nullptr where there is none.
  const DistroRelease* find(const std::string& series) const;

  /// The names of all.
  std::set<std::string> series() const;

 private:
  std::map<std::string, DistroRelease> releases_;
};

}  // namespace meph2
