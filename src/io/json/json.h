#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/fs/file.h"
#include "io/json/json_fwd.h"

/// Compiled once, in type.cpp: every source that looks at JSON would else compile it again.
extern template class nlohmann::basic_json<>;

namespace io {

struct JsonLimits {
  std::uint64_t max_bytes = 1ULL << 30U;
  unsigned max_depth = 64;  ///< deeper nesting would overflow the stack when written out
};

/// Parses a whole document. Refused with Error(untrusted) "NAME:LINE:COLUMN: /json/pointer:
/// reason": syntax errors, data after the document, a BOM, invalid UTF-8, lone surrogates, NaN and
/// Infinity, duplicate keys, integers beyond 64 bits (nlohmann would make them doubles silently),
/// nesting beyond the limit.
Json parse_json(std::string_view text, const std::string& name, const JsonLimits& limits = {});

/// The same for a file, from its start; its text is never in memory as a whole.
Json read_json(base::File& file, const JsonLimits& limits = {});

/// Empties a tree, leaves first: its destructor would move every value of it into a list, to go
/// without recursion, and takes five times as long. `value` is no deeper than JsonLimits allow.
void discard(Json& value) noexcept;

/// What a streaming reader is told. Keys and strings are valid only during the call. Returning is
/// going on; throw to stop.
class JsonEvents {
 public:
  JsonEvents() = default;
  JsonEvents(const JsonEvents&) = delete;
  JsonEvents& operator=(const JsonEvents&) = delete;
  virtual ~JsonEvents() = default;
  virtual void start_object() = 0;
  virtual void key(std::string& name) = 0;
  virtual void end_object() = 0;
  virtual void start_array() = 0;
  virtual void end_array() = 0;
  /// null, bool, number or string.
  virtual void scalar(Json&& value) = 0;

  /// Asked before each string: where it is false the string is checked all the same, but scalar()
  /// gets null in its place, and nobody has to make a copy of it.
  virtual bool wants_text() const { return true; }
};

/// Streams a file, from its start, through `events` in a few buffers of memory, whatever its size,
/// with the same checks as parse_json. What was told before an error cannot be taken back.
void visit_json(base::File& file, JsonEvents& events, const JsonLimits& limits = {});

/// Makes a tree of the events it is told: of a part of a document, or of the whole.
class JsonBuilder : public JsonEvents {
 public:
  void start_object() override { open(Json::object()); }

  void key(std::string& name) override { key_ = std::move(name); }

  void end_object() override { open_.pop_back(); }

  void start_array() override { open(Json::array()); }

  void end_array() override { open_.pop_back(); }

  void scalar(Json&& value) override { place(std::move(value)); }

  /// True when no object or array is open.
  bool complete() const { return open_.empty(); }

  /// What was built; the builder may be used again.
  Json take() { return std::move(root_); }

 private:
  void open(Json&& container) { open_.push_back(place(std::move(container))); }

  Json* place(Json&& value);

  Json root_;
  std::vector<Json*> open_;
  std::string key_;
};

/// "/a/b~1c" (RFC 6901) for messages: control characters escaped, long names cut.
std::string json_pointer(const std::vector<std::string_view>& names);

using Sink = std::function<void(std::string_view)>;

/// The one layout of every file we write (docs/format.md 1.9): indent 1, sorted keys, "," and ": ",
/// all non-ASCII as \uXXXX, one final newline. Handed over in pieces of about 64 kB, so that 100 MB
/// is never in memory twice. Floats print as Python prints them. A string that is not UTF-8 is an
/// Error(untrusted).
void write_json(const Json& value, const Sink& sink);
std::string to_text(const Json& value);

/// Appends a value as write_json() writes it inside of `depth` other values, without a line end.
void append_json(const Json& value, std::size_t depth, std::string& out);

/// Appends one string as write_json() writes it, quotes and all.
void append_json_string(std::string_view text, std::string& out);

/// "object", "array", "string", "integer", ... for messages.
const char* type_name(const Json& value);

}  // namespace io
