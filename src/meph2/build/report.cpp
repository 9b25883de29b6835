#include "meph2/build/report.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "io/http/http.h"
#include "io/json/json.h"

namespace meph2 {

namespace {

using io::Json;

constexpr std::uint64_t largest_report = 4ULL << 20U;
constexpr std::size_t longest_text = 4096;

[[noreturn]] void refuse(const std::string& where, const std::string& reason) {
  throw base::Error(base::Errc::untrusted, base::cat(where, ": ", reason));
}

/// The members of the report, each checked; `name` is for messages.
class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}

  BuildReport read(const Json& json) const {
    require(json, json.is_object(), name_, "an object");
    BuildReport report;
    report.builder = text(json, "builder");
    report.revision = number(json, "revision");
    if (const auto* source = member(json, "source", &Json::is_object, "an object")) {
      report.source_sha256 = digest(*source, "sha256");
      report.source_size = number(*source, "size");
    }
    for_each(json, "stages", [&](const Json& node) { report.stages.push_back(stage(node)); });
    for_each(json, "archives", [&](const Json& node) { report.archives.push_back(archive(node)); });
    read_packages(json, report);
    return report;
  }

 private:
  void require(const Json& value, bool right, const std::string& key, const char* wanted) const {
    if (!right) {
      refuse(name_, base::cat(key, " is of type ", io::type_name(value), ", must be ", wanted));
    }
  }

  /// nullptr where there is none.
  const Json* member(const Json& object, const char* key, bool (Json::*right)() const noexcept,
                     const char* wanted) const {
    const auto found = object.find(key);
    if (found == object.end()) {
      return nullptr;
    }
    require(*found, ((*found).*right)(), key, wanted);
    return &*found;
  }

  std::string text(const Json& object, const char* key) const {
    const auto* found = member(object, key, &Json::is_string, "a string");
    return found == nullptr ? std::string() : checked(found->get<std::string>(), key);
  }

  /// Texts are shown, kept and compared: one line each.
  std::string checked(std::string text, const std::string& key) const {
    const auto control = std::ranges::any_of(text, [](char character) {
      return static_cast<unsigned char>(character) < 0x20U || character == 0x7f;
    });
    if (control || text.size() > longest_text) {
      refuse(name_, base::cat(key, " is no line of text"));
    }
    return text;
  }

  std::uint64_t number(const Json& object, const char* key) const {
    const auto* found = member(object, key, &Json::is_number_unsigned, "a whole number");
    return found == nullptr ? 0 : found->get<std::uint64_t>();
  }

  std::string digest(const Json& object, const char* key) const {
    auto value = text(object, key);
    if (!value.empty() && !base::is_sha256(value)) {
      refuse(name_, base::cat(key, " '", base::escape_control(value), "' is no digest"));
    }
    return base::to_lower(std::move(value));
  }

  template <typename Take>
  void for_each(const Json& json, const char* key, const Take& take) const {
    const auto* found = member(json, key, &Json::is_array, "an array");
    if (found == nullptr) {
      return;
    }
    for (const auto& node : *found) {
      require(node, node.is_object(), key, "an array of objects");
      take(node);
    }
  }

  ReportedStage stage(const Json& node) const {
    static constexpr std::array outcomes = {"made", "taken", "failed"};
    ReportedStage stage;
    stage.name = text(node, "name");
    stage.label = text(node, "label");
    stage.outcome = text(node, "outcome");
    stage.log = text(node, "log");
    if (const auto* seconds = member(node, "seconds", &Json::is_number, "a number")) {
      stage.seconds = seconds->get<double>();
    }
    if (std::ranges::find(outcomes, stage.outcome) == outcomes.end()) {
      refuse(name_, base::cat("outcome '", stage.outcome, "' is none of made, taken, failed"));
    }
    return stage;
  }

  UsedArchive archive(const Json& node) const {
    UsedArchive archive{text(node, "url"), text(node, "suite"), digest(node, "sha256")};
    if (!io::is_http_url(archive.url)) {
      refuse(name_, base::cat("the archive '", base::redact_urls(archive.url), "' is no URL"));
    }
    if (const auto* reason = base::unsafe_path_reason(archive.suite); reason != nullptr) {
      refuse(name_, base::cat("the suite '", archive.suite, "': ", reason));
    }
    if (!archive.url.ends_with('/')) {
      archive.url += '/';
    }
    return archive;
  }

  void read_packages(const Json& json, BuildReport& report) const {
    const auto* found = member(json, "packages", &Json::is_object, "an object");
    if (found == nullptr) {
      return;
    }
    for (const auto& [name, version] : found->items()) {
      require(version, version.is_string(), base::cat("packages/", base::escape_control(name)),
              "a string");
      report.packages[checked(name, "the name of a package")] =
          checked(version.get<std::string>(), "the version of a package");
    }
  }

  std::string name_;
};

}  // namespace

BuildReport parse_build_report(std::string_view text, const std::string& name) {
  return Reader(name).read(io::parse_json(text, name));
}

std::optional<BuildReport> read_build_report(const std::string& space, const std::string& file,
                                             const base::Log& log) {
  try {
    const auto directory = base::open_directory(space);
    auto opened = base::find_beneath(directory.fd(), file, O_RDONLY);
    if (!opened) {
      return std::nullopt;
    }
    if (!S_ISREG(opened.status().st_mode)) {
      refuse("the builder's report", "it is no regular file");
    }
    return parse_build_report(base::read_all(opened, largest_report), "the builder's report");
  } catch (const base::Error& error) {
    log.warning(base::cat(error.what(), "; nothing is recorded of this build"));
    return std::nullopt;
  }
}

}  // namespace meph2
