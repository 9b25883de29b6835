#pragma once

#include <string>

#include "tests/io/meph2/build/world.h"

namespace world {

inline const std::string reported_archive = "http://archive.test/ubuntu/";
inline const std::string records_file = "out/.data/.sstream/builds.json";
inline const std::string ga = "com.ubuntu.maas.candidate:v3:boot:24.04:amd64:ga-24.04";

/// A world whose builder counts its runs and writes a report, and whose network has the archive
/// that the report names.
class ReportingWorld : public World {
 public:
  ReportingWorld();

  /// Of the local source in build_options(), of the archive as it is.
  io::Json report() const;

  void write_report(const io::Json& json) const { write("report.json", io::to_text(json)); }

  /// What the builder says and what it is.
  void write_builder(const std::string& version) const;

  void set_archive(const std::string& inrelease) {
    http.files[reported_archive + "dists/noble/InRelease"] = inrelease;
  }

  std::size_t runs() const { return exists("runs") ? read("runs").size() : 0; }

  /// Builds this version of the image of build_options().
  meph2::BuildImageResult build(const std::string& version) const;
};

}  // namespace world
