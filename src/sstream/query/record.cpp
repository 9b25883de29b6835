#include "sstream/query/record.h"

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

/// "key": "value"
void append_member(std::string_view key, std::string_view value, std::string& out) {
  io::append_json_string(key, out);
  out += ": ";
  io::append_json_string(value, out);
}

void put_level(Pairs& pairs, const Json& level) {
  for (const auto& [key, value] : level.get_ref<const Json::object_t&>()) {
    if (auto text = scalar_text(value)) {
      put(pairs, key, std::move(*text));
    }
  }
}

}  // namespace

/// What all items of the item's product share.
void Record::inherit(const Item& item) {
  const auto& product = item.pedigree().product;
  if (known_ && product_ == product) {
    return;
  }
  inherited_.clear();
  put_level(inherited_, *item.levels()[0]);
  put_level(inherited_, *item.levels()[1]);
  put(inherited_, "product_name", product);
  dict_ = python_dict(inherited_);
  dict_.pop_back();  // the bracket
  sorted_.clear();
  for (const auto& [key, value] : inherited_) {
    append_member(key, value, sorted_.emplace_back(key, std::string()).second);
  }
  std::sort(sorted_.begin(), sorted_.end());
  product_ = product;
  known_ = true;
}

std::string_view Record::Own::shown(std::string& room) const {
  if (value == nullptr) {
    return text;
  }
  if (value->is_string()) {
    return value->get_ref<const std::string&>();
  }
  return room = *scalar_text(*value);
}

void Record::add_own(const Json& level) {
  for (const auto& [key, value] : level.get_ref<const Json::object_t&>()) {
    if (value.is_primitive() && !value.is_null()) {
      own_.push_back({key, &value, {}});
    }
  }
}

/// What is below the product, in order. False where a tag takes the place of another, which is for
/// pairs() to sort out.
bool Record::collect_own(const Item& item) {
  const auto& pedigree = item.pedigree();
  own_.clear();
  add_own(*item.levels()[2]);
  own_.push_back({"version_name", nullptr, pedigree.version});
  add_own(*item.levels()[3]);
  own_.push_back({"item_name", nullptr, pedigree.item});
  if (const auto path = item.path()) {
    url_ = base_;
    url_ += *path;
    own_.push_back({"item_url", nullptr, url_});
  }
  for (std::size_t i = 0; i < own_.size(); ++i) {
    const auto key = own_[i].key;
    const bool again = std::any_of(own_.begin(), own_.begin() + static_cast<std::ptrdiff_t>(i),
                                   [&](const Own& other) { return other.key == key; });
    if (again || std::any_of(inherited_.begin(), inherited_.end(),
                             [&](const auto& pair) { return pair.first == key; })) {
      return false;
    }
  }
  return true;
}

Pairs Record::pairs(const Item& item) {
  inherit(item);
  const auto& pedigree = item.pedigree();
  auto pairs = inherited_;
  put_level(pairs, *item.levels()[2]);
  put(pairs, "version_name", pedigree.version);
  put_level(pairs, *item.levels()[3]);
  put(pairs, "item_name", pedigree.item);
  put(pairs, "product_name", pedigree.product);  // no tag takes the place of a name
  put(pairs, "version_name", pedigree.version);
  if (const auto path = item.path()) {
    put(pairs, "item_url", base_ + *path);
  }
  return pairs;
}

void Record::append_dict(const Item& item, std::string& out) {
  inherit(item);
  if (!collect_own(item)) {
    out += python_dict(pairs(item));
    return;
  }
  out += dict_;
  for (const auto& own : own_) {
    out += ", ";
    append_python_repr(out, own.key);
    out += ": ";
    std::string room;
    append_python_repr(out, own.shown(room));
  }
  out += '}';
}

void Record::append_own_json(const Own& own, std::string& out) const {
  std::string room;
  append_member(own.key, own.shown(room), out);
}

void Record::append_json(const Item& item, std::string& out) {
  inherit(item);
  char before = '{';
  const auto start = [&] {
    out += before;
    before = ',';
    out += "\n    ";
  };
  if (collect_own(item)) {
    std::sort(own_.begin(), own_.end(), [](const Own& a, const Own& b) { return a.key < b.key; });
    auto next = own_.begin();
    for (const auto& [key, json] : sorted_) {
      for (; next != own_.end() && next->key < key; ++next) {
        start();
        append_own_json(*next, out);
      }
      start();
      out += json;
    }
    for (; next != own_.end(); ++next) {
      start();
      append_own_json(*next, out);
    }
  } else {
    auto sorted = pairs(item);
    std::sort(sorted.begin(), sorted.end());
    for (const auto& [key, value] : sorted) {
      start();
      append_member(key, value, out);
    }
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
