#include "sstream/exact_metadata.h"

#include "base/beneath.h"
#include "base/error.h"
#include "base/strings.h"

namespace sstream {

namespace {

constexpr std::string_view directory = "streams/v1/";
constexpr std::size_t piece = 65'536;

/// Signing a text clearly takes away nothing but its last line ends.
bool same_text(base::File& one, base::File& other) {
  std::string left(piece, '\0');
  std::string right(piece, '\0');
  for (std::uint64_t offset = 0;; offset += piece) {
    const auto fill = [&](base::File& file, std::string& into) {
      into.resize(piece);
      std::size_t done = 0;
      while (done < piece) {
        const auto got = file.read_at({into.data() + done, piece - done}, offset + done);
        if (got == 0) {
          break;
        }
        done += got;
      }
      into.resize(done);
      return done;
    };
    const auto left_size = fill(one, left);
    const auto right_size = fill(other, right);
    if (left_size < piece || right_size < piece) {
      return base::trim(left) == base::trim(right);
    }
    if (left != right) {
      return false;
    }
  }
}

bool same_index(base::File& json, base::File& message) {
  return with_signed_paths(io::read_json(json)) == with_signed_paths(io::read_json(message));
}

class Gatherer {
 public:
  explicit Gatherer(const ContentSource& source) : source_(source) {}

  Verbatim run() {
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

  const ContentSource& source_;
  Verbatim metadata_;
};

}  // namespace

Verbatim exact_metadata(const ContentSource& source) {
  return Gatherer(source).run();
}

}  // namespace sstream
