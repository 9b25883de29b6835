#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "io/json/scan.h"
#include "io/json/source.h"

namespace io {

namespace {

using detail::ByteSource;
using detail::KeySet;

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

  bool operator==(const ByteIterator& other) const { return ended() == other.ended(); }

 private:
  bool ended() const { return source_ == nullptr || source_->at_end(); }

  ByteSource* source_;
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

/// nlohmann's SAX interface with the checks that it lacks. Says what is wrong, and where.
class Checker : public nlohmann::json_sax<Json> {
 public:
  Checker(const ByteSource& source, const JsonLimits& limits)
      : source_(&source), max_depth_(limits.max_depth) {}

  bool null() override { return pass(); }

  bool boolean(bool /*value*/) override { return pass(); }

  bool number_integer(number_integer_t /*value*/) override { return pass(); }

  bool number_unsigned(number_unsigned_t /*value*/) override { return pass(); }

  bool number_float(number_float_t /*value*/, const string_t& text) override {
    if (text.find_first_of(".eE") == std::string::npos) {
      refuse("integer beyond 64 bits");
    }
    return pass();
  }

  bool string(string_t& /*value*/) override { return pass(); }

  bool binary(binary_t& /*value*/) override { return false; }

  bool start_object(std::size_t /*count*/) override { return open(true); }

  bool key(string_t& name) override {
    Frame& frame = frames_[depth_ - 1];
    frame.key = name;
    frame.has_key = true;
    if (!frame.keys.insert(name)) {
      refuse("duplicate key");
    }
    return true;
  }

  bool end_object() override { return close(); }

  bool start_array(std::size_t /*count*/) override { return open(false); }

  bool end_array() override { return close(); }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    refuse_at(position > 0 ? position - 1 : 0, reason_of(error.what()));
  }

  [[noreturn]] void refuse(const std::string& reason) {
    refuse_at(source_->consumed() > 0 ? source_->consumed() - 1 : 0, reason);
  }

 private:
  bool open(bool is_object) {
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
    return true;
  }

  bool close() {
    --depth_;
    return pass();
  }

  /// A value has ended.
  bool pass() {
    if (depth_ > 0) {
      Frame& frame = frames_[depth_ - 1];
      frame.has_key = false;
      ++frame.index;
    }
    return true;
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
  unsigned max_depth_;
  std::vector<Frame> frames_;
  std::size_t depth_ = 0;
};

/// Throws what is wrong with a document that scan_json() refused: nlohmann's lexer, slow and exact,
/// has the words for it.
[[noreturn]] void explain(ByteSource& source, const JsonLimits& limits) {
  Checker checker(source, limits);
  if (source.starts_with("\xEF\xBB\xBF")) {  // nlohmann would skip it silently
    checker.refuse("byte order mark");
  }
  Json::sax_parse(ByteIterator(&source), ByteIterator(), &checker);
  throw base::Error(base::Errc::untrusted,
                    base::cat(source.name(), ": changed while it was being read"));
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
  JsonBuilder tree;
  ByteSource source(text, name);
  if (!detail::scan_json(source, tree, limits)) {
    ByteSource again(text, name);
    explain(again, limits);
  }
  return tree.take();
}

Json read_json(base::File& file, const JsonLimits& limits) {
  JsonBuilder tree;
  visit_json(file, tree, limits);
  return tree.take();
}

void visit_json(base::File& file, JsonEvents& events, const JsonLimits& limits) {
  ByteSource source(file, limits.max_bytes, detail::Lines::ignored);
  if (!detail::scan_json(source, events, limits)) {
    ByteSource again(file, limits.max_bytes, detail::Lines::counted);
    explain(again, limits);
  }
}

const char* type_name(const Json& value) {
  return value.is_number_integer() ? "integer" : value.type_name();
}

}  // namespace io
