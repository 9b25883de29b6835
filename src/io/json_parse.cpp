#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <unordered_set>
#include <utility>
#include <vector>

#include <xxhash.h>

#include "base/error.h"
#include "base/strings.h"
#include "io/json.h"

namespace io {

namespace {

/// Where the parser's bytes come from: a text in memory, or a file read through one buffer. Knows
/// the line and column of the byte that was handed out last.
class ByteSource {
 public:
  ByteSource(std::string_view text, const std::string& name)
      : name_(name), start_(text.data()), at_(start_), end_(start_ + text.size()) {}

  ByteSource(const base::File& file, std::uint64_t max_bytes)
      : file_(&file), name_(file.name()), max_bytes_(max_bytes), buffer_(buffer_size) {
    start_ = at_ = end_ = buffer_.data();
    refill();
  }

  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ~ByteSource() = default;

  bool at_end() const { return at_ == end_; }

  const char& current() const { return *at_; }

  void advance() {
    ++at_;
    if (at_ == end_ && file_ != nullptr) {
      refill();
    }
  }

  bool starts_with(std::string_view bytes) const {
    return std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(bytes);
  }

  const std::string& name() const { return name_; }

  /// Bytes handed out so far.
  std::uint64_t consumed() const { return before_ + static_cast<std::uint64_t>(at_ - start_); }

  /// "LINE:COLUMN" of the byte at `offset`, which must be one of the last handed out.
  std::string position(std::uint64_t offset) const {
    const auto length = offset > before_ ? static_cast<std::ptrdiff_t>(offset - before_) : 0;
    const char* stop = start_ + std::min(length, end_ - start_);
    const auto line = lines_ + static_cast<std::uint64_t>(std::count(start_, stop, '\n')) + 1;
    const auto newline =
        std::find(std::reverse_iterator(stop), std::reverse_iterator(start_), '\n');
    const auto line_start = newline.base() == start_
                                ? line_start_
                                : before_ + static_cast<std::uint64_t>(newline.base() - start_);
    return base::cat(line, ":", std::max(offset, line_start) - line_start + 1);
  }

 private:
  static constexpr std::size_t buffer_size = 262'144;

  void refill() {
    const std::string_view done(start_, static_cast<std::size_t>(end_ - start_));
    lines_ += static_cast<std::uint64_t>(std::count(done.begin(), done.end(), '\n'));
    if (const auto newline = done.rfind('\n'); newline != std::string_view::npos) {
      line_start_ = before_ + newline + 1;
    }
    before_ += done.size();
    const auto got = file_->read_at(buffer_, before_);
    if (before_ + got > max_bytes_) {
      throw base::Error(base::Errc::untrusted,
                        base::cat(name_, ": larger than ", base::human_bytes(max_bytes_)));
    }
    at_ = start_;
    end_ = start_ + got;
  }

  const base::File* file_ = nullptr;
  const std::string& name_;
  std::uint64_t max_bytes_ = 0;
  std::vector<char> buffer_;
  const char* start_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::uint64_t before_ = 0;      ///< bytes of earlier buffers
  std::uint64_t lines_ = 0;       ///< line ends in earlier buffers
  std::uint64_t line_start_ = 0;  ///< offset of the line that the buffer begins in
};

/// What nlohmann reads a ByteSource through. Only the end compares equal to the end.
class ByteIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  explicit ByteIterator(ByteSource* source = nullptr) : source_(source) {}

  /// nlohmann takes a NUL for the end of the input; as another control character it is refused.
  reference operator*() const {
    static constexpr char control = '\x01';
    const char& byte = source_->current();
    return byte == '\0' ? control : byte;
  }

  ByteIterator& operator++() {
    source_->advance();
    return *this;
  }

  ByteIterator operator++(int) {
    ByteIterator before = *this;
    source_->advance();
    return before;
  }

  bool operator==(const ByteIterator& other) const { return ended() == other.ended(); }

 private:
  bool ended() const { return source_ == nullptr || source_->at_end(); }

  ByteSource* source_;
};

/// The keys of one object, by 128-bit digest: exact for any practical purpose, and 16 bytes a key
/// however long the keys are. (Two keys made to collide are refused as duplicates: harmless.)
class KeySet {
 public:
  void clear() {
    few_.clear();
    many_.clear();
  }

  /// false if it was there already.
  bool insert(const std::string& key) {
    const XXH128_hash_t digest = XXH3_128bits(key.data(), key.size());
    const Entry entry{digest.low64, digest.high64};
    if (!many_.empty()) {
      return many_.insert(entry).second;
    }
    if (std::find(few_.begin(), few_.end(), entry) != few_.end()) {
      return false;
    }
    few_.push_back(entry);
    if (few_.size() > few_limit) {
      many_.insert(few_.begin(), few_.end());
    }
    return true;
  }

 private:
  using Entry = std::pair<std::uint64_t, std::uint64_t>;

  struct Hash {
    std::size_t operator()(const Entry& entry) const { return entry.first; }
  };

  static constexpr std::size_t few_limit = 24;  ///< beyond it a linear search loses

  std::vector<Entry> few_;
  std::unordered_set<Entry, Hash> many_;
};

/// An object or array that has been opened and not closed.
struct Frame {
  bool is_object = false;
  bool has_key = false;
  std::string key;
  std::size_t index = 0;
  KeySet keys;
};

std::string shorten(std::string_view text, std::size_t limit) {
  return base::escape_control(text.substr(0, limit)) + (text.size() > limit ? "..." : "");
}

/// nlohmann's text without its error number and its own idea of the position.
std::string reason_of(std::string_view message) {
  if (const auto at = message.find("syntax error"); at != std::string_view::npos) {
    message.remove_prefix(at);
  } else if (message.find("number overflow") != std::string_view::npos) {
    return "number out of range";
  }
  return shorten(message.substr(0, message.find("; last read: ")), 300);  // it quotes stale bytes
}

/// nlohmann's SAX interface: adds the checks that it lacks and passes on to JsonEvents.
class Checker : public nlohmann::json_sax<Json> {
 public:
  Checker(const ByteSource& source, JsonEvents& events, const JsonLimits& limits)
      : source_(&source), events_(&events), max_depth_(limits.max_depth) {}

  bool null() override { return pass(Json()); }

  bool boolean(bool value) override { return pass(Json(value)); }

  bool number_integer(number_integer_t value) override { return pass(Json(value)); }

  bool number_unsigned(number_unsigned_t value) override { return pass(Json(value)); }

  bool number_float(number_float_t value, const string_t& text) override {
    if (text.find_first_of(".eE") == std::string::npos) {
      refuse("integer beyond 64 bits");
    }
    return pass(Json(value));
  }

  bool string(string_t& value) override { return pass(Json(std::move(value))); }

  bool binary(binary_t& /*value*/) override { return false; }

  bool start_object(std::size_t /*count*/) override {
    open(true);
    events_->start_object();
    return true;
  }

  bool key(string_t& name) override {
    Frame& frame = frames_[depth_ - 1];
    frame.key = name;
    frame.has_key = true;
    if (!frame.keys.insert(name)) {
      refuse("duplicate key");
    }
    events_->key(name);
    return true;
  }

  bool end_object() override {
    close();
    events_->end_object();
    return true;
  }

  bool start_array(std::size_t /*count*/) override {
    open(false);
    events_->start_array();
    return true;
  }

  bool end_array() override {
    close();
    events_->end_array();
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    refuse_at(position > 0 ? position - 1 : 0, reason_of(error.what()));
  }

  [[noreturn]] void refuse(const std::string& reason) {
    refuse_at(source_->consumed() > 0 ? source_->consumed() - 1 : 0, reason);
  }

 private:
  bool pass(Json&& value) {
    events_->scalar(std::move(value));
    value_done();
    return true;
  }

  void open(bool is_object) {
    if (depth_ == max_depth_) {
      refuse(base::cat("nested deeper than ", max_depth_));
    }
    if (depth_ == frames_.size()) {
      frames_.emplace_back();
    }
    Frame& frame = frames_[depth_++];  // reused: its buffers stay allocated
    frame.is_object = is_object;
    frame.has_key = false;
    frame.index = 0;
    frame.keys.clear();
  }

  void close() {
    --depth_;
    value_done();
  }

  void value_done() {
    if (depth_ > 0) {
      Frame& frame = frames_[depth_ - 1];
      frame.has_key = false;
      ++frame.index;
    }
  }

  std::string pointer() const {
    std::string text;
    for (std::size_t i = 0; i < depth_; ++i) {
      const Frame& frame = frames_[i];
      if (!frame.is_object) {
        text += base::cat("/", frame.index);
      } else if (frame.has_key) {
        text += json_pointer({frame.key});
      }
    }
    return text;
  }

  [[noreturn]] void refuse_at(std::uint64_t offset, const std::string& reason) const {
    const auto where = pointer();
    throw base::Error(base::Errc::untrusted,
                      base::cat(source_->name(), ":", source_->position(offset), ": ", where,
                                where.empty() ? "" : ": ", reason));
  }

  const ByteSource* source_;
  JsonEvents* events_;
  unsigned max_depth_;
  std::vector<Frame> frames_;
  std::size_t depth_ = 0;
};

void parse(ByteSource& source, JsonEvents& events, const JsonLimits& limits) {
  Checker checker(source, events, limits);
  if (source.starts_with("\xEF\xBB\xBF")) {  // nlohmann would skip it silently
    checker.refuse("byte order mark");
  }
  Json::sax_parse(ByteIterator(&source), ByteIterator(), &checker);
}

}  // namespace

/// Keys mostly arrive sorted: the hint makes that fast.
Json* JsonBuilder::place(Json&& value) {
  if (open_.empty()) {
    root_ = std::move(value);
    return &root_;
  }
  Json& parent = *open_.back();
  if (parent.is_object()) {
    auto& members = parent.get_ref<Json::object_t&>();
    return &members.emplace_hint(members.end(), std::move(key_), std::move(value))->second;
  }
  return &parent.get_ref<Json::array_t&>().emplace_back(std::move(value));
}

std::string json_pointer(const std::vector<std::string_view>& names) {
  std::string text;
  for (const auto name : names) {
    const auto tilde = base::replace_all(std::string(name), "~", "~0");
    text += "/" + shorten(base::replace_all(tilde, "/", "~1"), 128);
  }
  return text;
}

Json parse_json(std::string_view text, const std::string& name, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(name, ": larger than ", base::human_bytes(limits.max_bytes)));
  }
  ByteSource source(text, name);
  JsonBuilder tree;
  parse(source, tree, limits);
  return tree.take();
}

Json read_json(base::File& file, const JsonLimits& limits) {
  JsonBuilder tree;
  visit_json(file, tree, limits);
  return tree.take();
}

void visit_json(base::File& file, JsonEvents& events, const JsonLimits& limits) {
  ByteSource source(file, limits.max_bytes);
  parse(source, events, limits);
}

const char* type_name(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return "object";
    case Json::value_t::array:
      return "array";
    case Json::value_t::string:
      return "string";
    case Json::value_t::boolean:
      return "boolean";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "integer";
    case Json::value_t::number_float:
      return "number";
    case Json::value_t::null:
      return "null";
    default:
      return "binary";
  }
}

}  // namespace io
