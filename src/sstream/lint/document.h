#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fs/file.h"
#include "io/json/json.h"
#include "sstream/lint/rule.h"

namespace sstream::lint {

using io::Json;

/// The text of a value that is a string; nullptr otherwise.
const std::string* text_of(const Json* value);

/// A member of an object; nullptr where there is none, or `node` is no object.
const Json* member(const Json& node, const char* key);

/// The tags of one object, in the order of the file. Reused: its buffers stay allocated.
class Tags {
 public:
  void clear() { size_ = 0; }

  void add(std::string_view key, Json&& value);

  /// nullptr where there is none.
  const Json* find(std::string_view key) const;

  /// The text of a string; nullptr for what is absent or no string.
  const std::string* text(std::string_view key) const { return text_of(find(key)); }

  const std::pair<std::string, Json>* begin() const { return tags_.data(); }

  const std::pair<std::string, Json>* end() const { return tags_.data() + size_; }

 private:
  std::vector<std::pair<std::string, Json>> tags_;
  std::size_t size_ = 0;
};

/// An index as it is, whatever it is: nothing of it has been checked.
struct IndexDocument {
  std::string file;  ///< "streams/v1/index.json", or the text in index.sjson
  bool is_signed = false;
  Json json;

  /// The object `index`; nullptr where there is none.
  const Json* entries() const;

  Place place() const { return {file, {}}; }
};

/// An object that the index lists.
struct Entry {
  const IndexDocument* index = nullptr;
  std::string_view name;
  const Json* json = nullptr;

  const Json* find(const char* key) const { return member(*json, key); }

  const std::string* text(const char* key) const { return text_of(find(key)); }

  /// No format is the usual one.
  bool is_products() const;

  Place place() const { return {index->file, {"index", name}}; }

  Place place(std::string_view key) const { return place().below(key); }
};

/// Those entries that are objects.
void for_each_entry(const IndexDocument& index, const std::function<void(const Entry&)>& visit);

/// A products file while it is read. Nothing of it has been checked but that it is JSON.
struct ProductsFile {
  std::string file;
  std::string entry;             ///< its name in the index (or empty)
  const Json* listed = nullptr;  ///< its entry in the index
  Tags tags;                     ///< all but `products`, wherever they stand
  bool has_products = false;
  std::set<std::string> ftypes;       ///< of the first version of each product
  std::vector<std::string> products;  ///< names that were met; complete in `tail`
  std::set<int> kinds;                ///< of the products so far, see Options::kind_of
  /// A data file; nullopt where there is none. Empty where data files are out of reach.
  std::function<std::optional<base::File>(const std::string& path)> open_data;
  std::stop_token stop;    ///< for who reads long
  bool read_data = false;  ///< large files may be read whole, which takes long

  const std::string* text(std::string_view key) const { return tags.text(key); }

  Place place() const { return {file, {}}; }
};

struct Product {
  const ProductsFile* file = nullptr;
  std::string name;
  Tags tags;                          ///< all but `versions`, wherever they stand
  bool has_versions = false;          ///< the key is there
  std::vector<std::string> versions;  ///< names, in the order of the file
  int kind = 0;                       ///< what Options::kind_of made of it

  Place place() const { return {file->file, {"products", name}}; }

  /// Of a tag, or of the product where it has none of that name.
  Place place(std::string_view key) const;
};

struct Item {
  const Version* version = nullptr;
  std::string name;
  Tags tags;

  /// The tag of this item or of a level above it: the deepest has it.
  const Json* inherited(std::string_view key) const;

  const std::string* inherited_text(std::string_view key) const { return text_of(inherited(key)); }

  const std::string* text(std::string_view key) const { return tags.text(key); }

  Place place() const;

  /// Of a tag, or of the item where it has none of that name.
  Place place(std::string_view key) const;
};

struct Version {
  const Product* product = nullptr;
  std::string name;
  Tags tags;
  std::vector<Item> items;  ///< the first item_count
  std::size_t item_count = 0;

  const Item* item(std::string_view name) const;
  const Item* begin() const;
  const Item* end() const;
  Place place() const;
};

/// What is known when all has been read.
struct Stream {
  std::string where;  ///< as it was asked for
  bool is_url = false;
  bool has_signed_index = false;           ///< index.sjson is there
  const IndexDocument* index = nullptr;    ///< index.json, else what index.sjson says
  std::vector<const ProductsFile*> files;  ///< those that could be read

  Place place() const { return {index != nullptr ? std::string_view(index->file) : "", {}}; }
};

/// "is of type integer, must be string".
std::string wrong_type(const Json& value, std::string_view wanted);

/// Text for a message: control characters escaped, long ones cut, in quotes.
std::string in_quotes(std::string_view text);

}  // namespace sstream::lint
