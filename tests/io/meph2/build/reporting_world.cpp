#include "tests/io/meph2/build/reporting_world.h"

#include "base/strings.h"
#include "io/hash/digest.h"

namespace world {

ReportingWorld::ReportingWorld() {
  build_options(*this);  // makes the source
  write_builder("fake 1.0");
  set_archive("the archive of today");
  write_report(report());
}

io::Json ReportingWorld::report() const {
  const auto source = read("noble.squashfs");
  const auto& inrelease = http.files.at(reported_archive + "dists/noble/InRelease");
  return {{"builder", "fake 1.0"},
          {"revision", 3},
          {"source",
           {{"sha256", io::digest_hex(io::Algorithm::sha256, source)}, {"size", source.size()}}},
          {"stages",
           {{{"name", "prepare"},
             {"label", "prepared layer"},
             {"seconds", 12.5},
             {"outcome", "made"},
             {"log", "/nowhere/prepare.log"}}}},
          {"archives",
           {{{"url", reported_archive},
             {"suite", "noble"},
             {"sha256", io::digest_hex(io::Algorithm::sha256, inrelease)}}}},
          {"packages", {{"linux-generic", "6.8.0-31"}}}};
}

void ReportingWorld::write_builder(const std::string& version) const {
  use_builder(base::cat("if [ \"$1\" = --version ]; then echo '", version, "'; exit 0; fi\n",
                        "here=${0%/*}\nprintf x >>\"$here/runs\"\n",
                        "[ ! -e \"$here/report.json\" ] || cp \"$here/report.json\" "
                        "\"$M2E_REPORT\"\nexec '",
                        SOURCE_DIR, "/bin/fake-maas-cloudimg2eph2' \"$@\"\n"));
}

meph2::BuildImageResult ReportingWorld::build(const std::string& version) const {
  auto options = build_options(*this);
  options.request.version_name = version;
  return meph2::build_image(options, context());
}

}  // namespace world
