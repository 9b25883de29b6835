#include "meph2/apt/release_file.h"

#include <vector>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "meph2/apt/deb822.h"

namespace meph2::apt {

namespace {

using base::Errc;
using base::Error;

constexpr std::chrono::hours clock_skew{24};

std::vector<std::string> words_of(std::string_view line) {
  return base::split_list(base::replace_all(std::string(line), "\t", " "), ' ');
}

base::Time required_date(const Paragraph& paragraph, const char* field, const std::string& name) {
  const auto text = paragraph.value(field);
  const auto date = parse_archive_date(text);
  if (!date) {
    throw Error(Errc::untrusted, base::cat(name, ": ", field, ": '", base::escape_control(text),
                                           "' is no date as Release files have"));
  }
  return *date;
}

void take_file(ReleaseFile& release, std::string_view line, const std::string& name) {
  const auto words = words_of(line);
  const auto size = words.size() == 3 ? base::parse_decimal(words[1]) : std::nullopt;
  if (!size || !base::is_sha256(words[0])) {
    throw Error(Errc::untrusted, base::cat(name, ": SHA256: 'DIGEST SIZE PATH' expected, found '",
                                           base::escape_control(line), "'"));
  }
  base::with_context(name, [&] { base::require_safe_path(words[2]); });
  sstream::Checksums sums;
  sums.size = *size;
  sums.sha256 = base::to_lower(words[0]);
  const auto [there, added] = release.files.emplace(words[2], sums);
  if (!added && there->second != sums) {
    throw Error(Errc::untrusted, base::cat(name, ": SHA256: two contents of ", words[2]));
  }
}

}  // namespace

const sstream::Checksums* ReleaseFile::file(const std::string& path) const {
  const auto found = files.find(path);
  return found == files.end() ? nullptr : &found->second;
}

std::optional<base::Time> parse_archive_date(std::string_view text) {
  auto words = words_of(text);
  if (words.size() != 6) {
    return std::nullopt;
  }
  if (words[1].size() == 1) {
    words[1].insert(0, "0");
  }
  if (words[5] == "UTC" || words[5] == "GMT" || words[5] == "Z") {
    words[5] = "+0000";
  }
  return base::parse_stamp(base::join(words, " "));
}

ReleaseFile parse_release_file(std::string_view text, const std::string& name) {
  const auto paragraph = one_paragraph(text, name);
  ReleaseFile release;
  release.suite = paragraph.value("Suite");
  release.codename = paragraph.value("Codename");
  release.by_hash = paragraph.value("Acquire-By-Hash") == "yes";
  release.date = required_date(paragraph, "Date", name);
  if (paragraph.has("Valid-Until")) {
    release.valid_until = required_date(paragraph, "Valid-Until", name);
  }
  for (const auto& line : paragraph.lines("SHA256")) {
    take_file(release, line, name);
  }
  if (release.files.empty()) {
    throw Error(Errc::untrusted, base::cat(name, ": lists no files under SHA256"));
  }
  return release;
}

void require_current(const ReleaseFile& release, const std::string& suite, base::Time now,
                     const std::string& name) {
  if (suite != release.suite && suite != release.codename) {
    throw Error(Errc::untrusted, base::cat(name, ": is of '", release.suite, "' ('",
                                           release.codename, "'), not of '", suite, "'"));
  }
  if (release.valid_until && *release.valid_until < now) {
    throw Error(Errc::untrusted,
                base::cat(name, ": has expired on ", base::format_stamp(*release.valid_until)));
  }
  if (release.date > now + clock_skew) {
    throw Error(Errc::untrusted,
                base::cat(name, ": is dated ", base::format_stamp(release.date),
                          ", which is more than a day ahead of this machine's clock"));
  }
}

}  // namespace meph2::apt
