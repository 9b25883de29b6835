#include "sstream/mirror/exact_metadata.h"

#include "base/error.h"
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

/// A document in all its forms.
void add(ContentSource& source, const std::string& stem, bool is_index, ExactMetadata& metadata) {
  const auto name = stem.substr(std::min(directory.size(), stem.size()));
  if (!stem.starts_with(directory) || name.find('/') != std::string::npos) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(source.base(), stem,
                                ": is not directly below streams/v1; no exact mirror of it can "
                                "be made"));
  }
  auto json = source.raw(stem + ".json");
  if (!json) {
    throw base::Error(
        base::Errc::untrusted,
        base::cat(source.base(), stem, ".json: is missing; an exact mirror has to offer it"));
  }
  auto signature = source.raw(stem + ".json.gpg");
  auto message = source.raw(stem + ".sjson");
  if (message) {
    auto text = source.text(stem + ".sjson");
    if (is_index ? !same_index(*json, text) : !same_text(*json, text)) {
      throw base::Error(base::Errc::untrusted,
                        base::cat(source.base(), stem, ".sjson: says something else than ", name,
                                  ".json; if it is being published just now, try again"));
    }
  }
  if (signature || !message) {
    source.text(stem + ".json");  // verified, where that is asked for
  }
  const auto keep = [&](const char* ending, std::optional<base::File>& file) {
    if (file) {
      file->seek(0);
      metadata[name + ending] = std::move(*file);
    }
  };
  keep(".json", json);
  keep(".json.gpg", signature);
  keep(".sjson", message);
}

}  // namespace

ExactMetadata exact_metadata(ContentSource& source) {
  ExactMetadata metadata;
  add(source, "streams/v1/index", true, metadata);
  for (const auto& entry : source.entries()) {
    add(source, entry.path.substr(0, entry.path.rfind('.')), false, metadata);
  }
  return metadata;
}

}  // namespace sstream
