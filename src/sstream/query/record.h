#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sstream/format/product_tree.h"
#include "sstream/query/python_text.h"

namespace sstream {

/// The scalar tags of an item as one flat list, in the order of the established tools: from the top
/// down to the item, the name of each level behind the level's own tags, `item_url` last where the
/// item has a path. A deeper value takes the place of the one above it.
class Record {
 public:
  /// `base` goes in front of the path.
  explicit Record(std::string base) : base_(std::move(base)) {}

  Pairs pairs(const Item& item);

  /// python_dict(pairs(item)), but what the items of a version share is laid out once.
  void append_dict(const Item& item, std::string& out);

  /// The same as one object of a JSON array of indent 2, keys sorted.
  void append_json(const Item& item, std::string& out);

  /// To be called between documents: their products may have the same names.
  void forget() { known_ = false; }

 private:
  /// A tag below the product: a JSON value of the tree, or a name.
  struct Own {
    std::string_view key;
    const Json* value = nullptr;
    std::string_view text;

    /// Its text; `room` holds what has to be made.
    std::string_view shown(std::string& room) const;
  };

  void inherit(const Item& item);
  bool collect_own(const Item& item);
  void add_own(const Json& level);
  void append_own_json(const Own& own, std::string& out) const;

  std::string base_;
  bool known_ = false;
  std::string product_;  ///< that the following belongs to
  Pairs inherited_;      ///< in their order
  std::string dict_;
  Pairs sorted_;  ///< key, and "key": "value" as JSON
  std::vector<Own> own_;
  std::string url_;
};

/// How one item becomes text: Python's % formatting of a dict (`%(path)s`, `%(item_name)-12s`,
/// `%%`), nothing else. Every value is a text, so that %s, %r and %a, with flags, width and
/// precision, are all there is.
class RecordFormat {
 public:
  /// Error(usage) naming the position for what Python refuses, or would refuse for every item.
  explicit RecordFormat(const std::string& text);

  /// Appends the item's line (without a line end); the name of a tag that it lacks, if any, and
  /// then `out` is as it was.
  std::optional<std::string> append(const Item& item, const std::string& base,
                                    std::string& out) const;

 private:
  struct Piece {
    std::string text;  ///< literal, or the key
    bool is_field = false;
    char conversion = 's';
    bool left = false;
    std::size_t width = 0;
    std::optional<std::size_t> precision;
  };

  class Reader;

  static void append_field(const Piece& piece, std::string value, std::string& out);

  std::vector<Piece> pieces_;
};

}  // namespace sstream
