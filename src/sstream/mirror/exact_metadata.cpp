#include "sstream/mirror/exact_metadata.h"

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/lines.h"
#include "base/strings.h"

namespace sstream {

namespace {

constexpr std::string_view directory = "streams/v1/";

/// A clear signature does not cover blanks at the ends of lines, nor empty lines at the end:
/// documents of the established tools may have either.
bool same_text(base::File& one, base::File& other) {
  base::Lines left(one);
  base::Lines right(other);
  const auto next = [](base::Lines& lines, std::string_view& line) {
    const bool more = lines.next(line);
    line = more ? line.substr(0, line.find_last_not_of(" \t\r") + 1) : std::string_view();
    return more;
  };
  std::string_view a;
  std::string_view b;
  while (true) {
    const bool more_left = next(left, a);
    const bool more_right = next(right, b);
    if (a != b) {
      return false;
    }
    if (!more_left && !more_right) {
      return true;
    }
  }
}

bool same_index(base::File& json, base::File& message) {
  return with_signed_paths(io::read_json(json)) == with_signed_paths(io::read_json(message));
}

class Gatherer {
 public:
  explicit Gatherer(ContentSource& source) : source_(source) {}

  ExactMetadata run() {
    add("streams/v1/index", true);
    for (const auto& entry : source_.entries()) {
      add(entry.path.substr(0, entry.path.rfind('.')), false);
    }
    return std::move(metadata_);
  }

 private:
  void add(const std::string& stem, bool is_index) {
    const auto name = stem.substr(std::min(directory.size(), stem.size()));
    if (!stem.starts_with(directory) || name.find('/') != std::string::npos) {
      throw base::Error(base::Errc::untrusted,
                        base::cat(source_.base(), stem,
                                  ": is not directly below streams/v1; no exact mirror of it can "
                                  "be made"));
    }
    auto json = source_.raw(stem + ".json");
    if (!json) {
      throw base::Error(base::Errc::untrusted,
                        base::cat(source_.base(), stem,
                                  ".json: is missing; an exact mirror has to "
                                  "offer it"));
    }
    auto signature = source_.raw(stem + ".json.gpg");
    auto message = source_.raw(stem + ".sjson");
    if (message) {
      auto text = source_.text(stem + ".sjson");
      if (is_index ? !same_index(*json, text) : !same_text(*json, text)) {
        throw base::Error(base::Errc::untrusted,
                          base::cat(source_.base(), stem, ".sjson: says something else than ", name,
                                    ".json; if it is being published just now, try again"));
      }
    }
    if (signature || !message) {
      source_.text(stem + ".json");  // verified, where that is asked for
    }
    keep(name + ".json", std::move(json));
    keep(name + ".json.gpg", std::move(signature));
    keep(name + ".sjson", std::move(message));
  }

  void keep(const std::string& name, std::optional<base::File> file) {
    if (file) {
      file->seek(0);
      metadata_[name] = std::move(*file);
    }
  }

  ContentSource& source_;
  ExactMetadata metadata_;
};

}  // namespace

ExactMetadata exact_metadata(ContentSource& source) {
  return Gatherer(source).run();
}

}  // namespace sstream
