#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sstream::lint {

enum class Severity : std::uint8_t { none, advice, warning, error };

/// "error", "warning", "advice", "none".
const char* name_of(Severity severity);

/// A set of consumers, one bit each. Whose bit is which only the owner of the rules knows.
using Profiles = std::uint32_t;

inline constexpr Profiles all_profiles = ~Profiles{0};

/// How bad a finding is, for whom.
struct Weight {
  Profiles error = 0;
  Profiles warning = 0;
  Profiles advice = 0;

  /// The worst that it is for any of these.
  Severity severity(Profiles profiles) const;

  Profiles all() const { return error | warning | advice; }
};

/// A place in a document: the names of the levels that lead to it (a JSON pointer), none for the
/// file itself. A view: valid as long as the names are.
struct Place {
  Place() = default;

  Place(std::string_view in, std::initializer_list<std::string_view> levels) : file(in) {
    for (const auto name : levels) {
      push(name);
    }
  }

  void push(std::string_view name) {
    if (depth < names.size()) {
      names.at(depth++) = name;
    }
  }

  Place below(std::string_view name) const {
    Place place = *this;
    place.push(name);
    return place;
  }

  /// RFC 6901, exact.
  std::string pointer() const;

  std::string_view file;  ///< path below the stream's directory, as in "streams/v1/index.json"
  std::array<std::string_view, 8> names;
  std::size_t depth = 0;
};

class Emit;
struct IndexDocument;
struct Entry;
struct ProductsFile;
struct Product;
struct Version;
struct Item;
struct Stream;

/// Looks at one thing of a stream.
template <typename Subject>
using Look = void (*)(const Subject& subject, const Emit& emit);

/// What a rule looks at. All are optional; what several calls have to remember together lives in
/// what the functions capture.
struct Check {
  template <typename Subject>
  using Function = std::function<void(const Subject& subject, const Emit& emit)>;

  Check() = default;

  explicit Check(Look<IndexDocument> look) : index(look) {}

  explicit Check(Look<Entry> look) : entry(look) {}

  explicit Check(Look<ProductsFile> look) : head(look) {}

  explicit Check(Look<Item> look) : item(look) {}

  explicit Check(Look<Version> look) : version(look) {}

  explicit Check(Look<Product> look) : product(look) {}

  explicit Check(Look<Stream> look) : stream(look) {}

  Function<IndexDocument> index;
  Function<Entry> entry;        ///< each object that the index lists
  Function<Entry> each_entry;   ///< the same, in both forms of the index
  Function<ProductsFile> head;  ///< before its products
  Function<Item> item;
  Function<Version> version;    ///< after its items
  Function<Product> product;    ///< after its versions
  Function<ProductsFile> tail;  ///< after its products
  Function<Stream> stream;      ///< after all files
};

/// How a run comes by the check of a rule: nothing where the engine itself looks (see `engine`), a
/// function for what looks at one sort of thing only, else one that makes the check anew.
using CheckSource =
    std::variant<std::monostate, Check (*)(), Look<IndexDocument>, Look<Entry>, Look<ProductsFile>,
                 Look<Item>, Look<Version>, Look<Product>, Look<Stream>>;

/// One thing that some consumer demands of a stream.
struct Rule {
  std::string_view id;     ///< "index-updated-format": for people, and for good
  std::string_view title;  ///< what has to be so, in one line
  Weight weight;
  std::string_view looks;  ///< how it looks at the consumer where it is not so
  std::string_view mend;   ///< what to do about it
  CheckSource check{};
};

using Rules = std::vector<Rule>;

/// What the engine finds by itself. A set of rules without one of these does not care.
namespace engine {
inline constexpr std::string_view index_missing = "index-missing";
inline constexpr std::string_view json_syntax = "json-syntax";
inline constexpr std::string_view json_bom = "json-bom";
inline constexpr std::string_view json_number = "json-number";
inline constexpr std::string_view json_duplicate_key = "json-duplicate-key";
inline constexpr std::string_view json_ascii = "json-ascii";
inline constexpr std::string_view index_structure = "index-structure";
inline constexpr std::string_view products_structure = "products-structure";
inline constexpr std::string_view products_missing = "products-missing";
inline constexpr std::string_view armor_form = "armor-form";
inline constexpr std::string_view one_signer = "one-signer";
inline constexpr std::string_view signature_bad = "signature-bad";
inline constexpr std::string_view signature_missing = "signature-missing";
inline constexpr std::string_view keyring_form = "keyring-form";
inline constexpr std::string_view keyring_armored = "keyring-armored";
inline constexpr std::string_view key_algorithm = "key-algorithm";
inline constexpr std::string_view signed_text_differs = "signed-text-differs";
inline constexpr std::string_view file_missing = "file-missing";
inline constexpr std::string_view file_size = "file-size";
inline constexpr std::string_view path_reused = "path-reused";
inline constexpr std::string_view orphan_file = "orphan-file";
inline constexpr std::string_view url_status = "url-status";
inline constexpr std::string_view url_redirect = "url-redirect";
inline constexpr std::string_view url_encoding = "url-encoding";
inline constexpr std::string_view url_length = "url-length";
inline constexpr std::string_view url_caching = "url-caching";
inline constexpr std::string_view url_tls = "url-tls";
inline constexpr std::string_view url_port_80 = "url-port-80";
}  // namespace engine

}  // namespace sstream::lint
