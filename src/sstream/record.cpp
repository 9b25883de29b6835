#include "sstream/record.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"

namespace sstream {

namespace {

constexpr std::size_t widest = 10000;

/// The bytes that the first `count` code points take.
std::size_t bytes_of(std::string_view text, std::size_t count) {
  if (!base::valid_utf8(text)) {
    return std::min(count, text.size());
  }
  std::size_t at = 0;
  while (at < text.size() && count > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) {
      ++at;
    }
    --count;
  }
  return at;
}

void put(Pairs& pairs, const std::string& key, std::string value) {
  const auto there =
      std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == key; });
  if (there != pairs.end()) {
    there->second = std::move(value);
  } else {
    pairs.emplace_back(key, std::move(value));
  }
}

void put_level(Pairs& pairs, const Json& level) {
  for (const auto& [key, value] : level.get_ref<const Json::object_t&>()) {
    if (auto text = scalar_text(value)) {
      put(pairs, key, std::move(*text));
    }
  }
}

std::string json_member(const std::string& key, const std::string& value) {
  std::string text;
  io::append_json_string(key, text);
  text += ": ";
  io::append_json_string(value, text);
  return text;
}

}  // namespace

/// What all items of the item's version share.
void Record::inherit(const Item& item) {
  const auto& pedigree = item.pedigree();
  if (known_ && from_.product == pedigree.product && from_.version == pedigree.version) {
    return;
  }
  const auto levels = item.levels();
  inherited_.clear();
  put_level(inherited_, *levels[0]);
  put_level(inherited_, *levels[1]);
  put(inherited_, "product_name", pedigree.product);
  put_level(inherited_, *levels[2]);
  put(inherited_, "version_name", pedigree.version);
  put(inherited_, "product_name", pedigree.product);  // no tag takes the place of a name
  dict_ = python_dict(inherited_);
  dict_.pop_back();  // the bracket
  sorted_.clear();
  for (const auto& [key, value] : inherited_) {
    sorted_.push_back({key, json_member(key, value)});
  }
  std::sort(sorted_.begin(), sorted_.end(),
            [](const Inherited& a, const Inherited& b) { return a.key < b.key; });
  from_ = {pedigree.product, pedigree.version, {}};
  known_ = true;
}

Pairs Record::own_pairs(const Item& item) const {
  Pairs own;
  put_level(own, item.node());
  put(own, "item_name", item.pedigree().item);
  if (const auto path = item.path()) {
    put(own, "item_url", base_ + *path);
  }
  return own;
}

bool Record::is_inherited(const std::string& key) const {
  return std::any_of(inherited_.begin(), inherited_.end(),
                     [&](const auto& pair) { return pair.first == key; });
}

Pairs Record::pairs(const Item& item) {
  inherit(item);
  auto pairs = inherited_;
  for (auto& [key, value] : own_pairs(item)) {
    put(pairs, key, std::move(value));
  }
  put(pairs, "product_name", from_.product);
  put(pairs, "version_name", from_.version);
  return pairs;
}

void Record::append_dict(const Item& item, std::string& out) {
  inherit(item);
  const auto own = own_pairs(item);
  if (std::any_of(own.begin(), own.end(),
                  [&](const auto& pair) { return is_inherited(pair.first); })) {
    out += python_dict(pairs(item));
    return;
  }
  out += dict_;
  out += ", ";
  out += std::string_view(python_dict(own)).substr(1);
}

void Record::append_json(const Item& item, std::string& out) {
  inherit(item);
  auto own = own_pairs(item);
  std::sort(own.begin(), own.end());
  auto next = own.begin();
  char before = '{';
  const auto member = [&](std::string_view text) {
    out += before;
    before = ',';
    out += "\n    ";
    out += text;
  };
  const auto own_member = [&] {
    if (next->first != "product_name" && next->first != "version_name") {
      member(json_member(next->first, next->second));
    }
    ++next;
  };
  for (const auto& [key, json] : sorted_) {
    while (next != own.end() && next->first < key) {
      own_member();
    }
    if (next == own.end() || next->first != key) {
      member(json);
    } else if (key == "product_name" || key == "version_name") {
      member(json);
      ++next;
    } else {
      own_member();
    }
  }
  while (next != own.end()) {
    own_member();
  }
  out += "\n  }";
}

/// Reads a format as Python does.
class RecordFormat::Reader {
 public:
  Reader(const std::string& text, std::vector<Piece>& pieces) : text_(text), pieces_(&pieces) {}

  void run() {
    while (at_ < text_.size()) {
      const auto percent = std::min(text_.find('%', at_), text_.size());
      literal(text_.substr(at_, percent - at_));
      at_ = percent;
      if (at_ < text_.size()) {
        field();
      }
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw base::Error(base::Errc::usage,
                      base::cat("output format '", text_, "': character ", start_ + 1, ": ", why));
  }

  char next() {
    if (at_ == text_.size()) {
      refuse("incomplete: %(KEY)s, or %% for a percent sign, is expected");
    }
    return text_[at_++];
  }

  void literal(const std::string& text) {
    if (text.empty()) {
      return;
    }
    if (pieces_->empty() || pieces_->back().is_field) {
      pieces_->emplace_back();
    }
    pieces_->back().text += text;
  }

  void field() {
    start_ = at_++;
    Piece piece;
    piece.is_field = true;
    char c = next();
    const bool keyed = c == '(';
    if (keyed) {
      piece.text = key();
      c = next();
    }
    for (; std::string_view("#0- +").find(c) != std::string_view::npos; c = next()) {
      piece.left = piece.left || c == '-';
    }
    piece.width = number(c);
    if (c == '.') {
      c = next();
      piece.precision = number(c);
    }
    while (c == 'h' || c == 'l' || c == 'L') {
      c = next();
    }
    if (c == '%') {
      literal("%");
      return;
    }
    if (!keyed) {
      refuse("a field needs its key: %(KEY)s");
    }
    if (std::string_view("sra").find(c) == std::string_view::npos) {
      refuse(base::cat("%", c, ": every value is a text: use %s"));
    }
    piece.conversion = c;
    pieces_->push_back(std::move(piece));
  }

  /// Parentheses nest, as in Python.
  std::string key() {
    const auto from = at_;
    for (unsigned open = 1; open > 0;) {
      const char c = next();
      open += c == '(' ? 1 : 0;
      open -= c == ')' ? 1 : 0;
    }
    return text_.substr(from, at_ - from - 1);
  }

  /// Decimal digits from `c` on; `c` becomes what follows them.
  std::size_t number(char& c) {
    std::size_t value = 0;
    for (; c >= '0' && c <= '9'; c = next()) {
      value = value * 10 + static_cast<std::size_t>(c - '0');
      if (value > widest) {
        refuse(base::cat("a width of more than ", widest));
      }
    }
    return value;
  }

  std::string text_;
  std::vector<Piece>* pieces_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
};

RecordFormat::RecordFormat(const std::string& text) {
  Reader(text, pieces_).run();
}

void RecordFormat::append_field(const Piece& piece, std::string value, std::string& out) {
  if (piece.conversion == 'r') {
    value = python_repr(value);
  } else if (piece.conversion == 'a') {
    value = python_ascii(value);
  }
  if (piece.precision) {
    value.resize(bytes_of(value, *piece.precision));
  }
  const auto length = piece.width > 0 ? python_length(value) : 0;
  const std::string padding(piece.width > length ? piece.width - length : 0, ' ');
  out += piece.left ? "" : padding;
  out += value;
  out += piece.left ? padding : "";
}

std::optional<std::string> RecordFormat::append(const Item& item, const std::string& base,
                                                std::string& out) const {
  const auto before = out.size();
  for (const auto& piece : pieces_) {
    if (!piece.is_field) {
      out += piece.text;
      continue;
    }
    auto value = item.tag(piece.text);
    if (piece.text == "item_url") {
      if (const auto path = item.path()) {
        value = base + *path;
      }
    }
    if (!value) {
      out.resize(before);
      return piece.text;
    }
    append_field(piece, std::move(*value), out);
  }
  return std::nullopt;
}

}  // namespace sstream
