#include "sstream/lint/changed_part.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/fs/lines.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"

namespace sstream::lint {

namespace {

std::size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

std::string_view without_comma(std::string_view line) {
  return line.substr(0, line.size() - (line.ends_with(',') ? 1 : 0));
}

/// What a walk over the text of a products file is told.
struct TextEvents {
  std::function<void(std::string_view line)> other;  ///< all that belongs to no version
  /// A version of this product, whole, without the comma behind it.
  std::function<void(const std::string& product, const std::string& block)> version;
};

/// false where the layout is another one. The levels of a document are its indentation:
/// `products` 1, a product 2, `versions` 3, a version 4.
bool walk(base::File& file, const TextEvents& events) {
  base::Lines lines(file);
  std::string_view line;
  std::string product;
  std::string block;
  bool in_products = false;
  bool in_versions = false;
  bool in_block = false;
  std::size_t number = 0;
  while (lines.next(line)) {
    const auto indent = indent_of(line);
    if (number++ == 0 && line != "{") {
      return false;
    }
    if (in_block) {
      block += '\n';
      if (indent == 4 && without_comma(line) == "    }") {
        block += without_comma(line);
        events.version(product, block);
        in_block = false;
      } else {
        block += line;
      }
      continue;
    }
    if (in_versions && indent == 4) {
      block = without_comma(line);
      if (line.ends_with('{')) {
        in_block = true;
      } else {
        events.version(product, block);
      }
      continue;
    }
    if (indent == 1) {
      in_products = line == " \"products\": {";
    } else if (indent == 2 && in_products) {
      product = line;
    }
    in_versions =
        indent == 3 ? in_products && line == "   \"versions\": {" : in_versions && indent > 3;
    events.other(line);
  }
  return !in_block && number > 2;
}

std::uint64_t fingerprint_of(const std::string& product, const std::string& block) {
  return io::fingerprint64(product + "\n" + block);
}

/// `    "20260101": {` -> `    "20260101": {"items": {}}`
std::string name_only(const std::string& block) {
  const auto first = std::string_view(block).substr(0, block.find('\n'));
  return base::cat(first, "\"items\": {}}");
}

/// Writes the document that is left.
class Reduction {
 public:
  Reduction(const std::unordered_set<std::uint64_t>& known, base::File& out)
      : known_(&known), out_(&out) {}

  void other(std::string_view line) {
    if (any_version_) {
      put("\n");
      any_version_ = false;
    }
    put(line);
    put("\n");
  }

  void version(const std::string& product, const std::string& block) {
    put(any_version_ ? ",\n" : "");
    const bool keep = !any_version_ || !block.ends_with("}") || block.find('\n') == block.npos ||
                      !known_->contains(fingerprint_of(product, block));
    put(keep ? block : name_only(block));
    any_version_ = true;
  }

  void flush() {
    out_->write(text_);
    text_.clear();
  }

 private:
  void put(std::string_view text) {
    constexpr std::size_t piece = 65'536;
    text_ += text;
    if (text_.size() > piece) {
      flush();
    }
  }

  const std::unordered_set<std::uint64_t>* known_;
  base::File* out_;
  std::string text_;
  bool any_version_ = false;
};

}  // namespace

std::optional<base::File> changed_part(base::File& live, base::File& next) {
  std::unordered_set<std::uint64_t> known;
  TextEvents remember;
  remember.other = [](std::string_view) {};
  remember.version = [&](const std::string& product, const std::string& block) {
    known.insert(fingerprint_of(product, block));
  };
  if (!walk(live, remember)) {
    return std::nullopt;
  }
  auto out = base::unnamed_file(next.name());
  Reduction reduction(known, out);
  TextEvents reduce;
  reduce.other = [&](std::string_view line) { reduction.other(line); };
  reduce.version = [&](const std::string& product, const std::string& block) {
    reduction.version(product, block);
  };
  if (!walk(next, reduce)) {
    return std::nullopt;
  }
  reduction.flush();
  out.seek(0);
  return out;
}

}  // namespace sstream::lint
