#define PCRE2_CODE_UNIT_WIDTH 8
#include "io/regex/regex.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <vector>

#include <pcre2.h>

#include "base/error.h"
#include "base/strings.h"

namespace io {

namespace {

constexpr std::uint32_t most_steps = 1'000'000;
constexpr std::uint32_t deepest = 10'000;
constexpr std::uint32_t most_kibibytes = 16U << 10U;

/// What PCRE2 says of an error, in its own words.
std::string reason_of(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  const int length = ::pcre2_get_error_message(code, text.data(), text.size());
  return {text.begin(), text.begin() + std::max(length, 0)};
}

/// Each byte as the character of its number.
std::string characters_of(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80U) {
      text += static_cast<char>(0xC0U | byte >> 6U);
      text += static_cast<char>(0x80U | (byte & 0x3FU));
    } else {
      text += c;
    }
  }
  return text;
}

bool at_a_limit(int code) {
  return code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT ||
         code == PCRE2_ERROR_HEAPLIMIT;
}

template <typename T>
T* had(T* made) {
  if (made == nullptr) {
    throw std::bad_alloc();
  }
  return made;
}

struct Free {
  void operator()(pcre2_code* code) const { ::pcre2_code_free(code); }

  void operator()(pcre2_compile_context* context) const { ::pcre2_compile_context_free(context); }

  void operator()(pcre2_match_context* context) const { ::pcre2_match_context_free(context); }

  void operator()(pcre2_match_data* data) const { ::pcre2_match_data_free(data); }
};

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());  // NOLINT: how PCRE2 spells a byte
}

}  // namespace

struct Regex::State {
  std::unique_ptr<pcre2_code, Free> code;
  std::unique_ptr<pcre2_match_context, Free> limits;
};

Regex::Regex(const std::string& pattern) {
  const std::unique_ptr<pcre2_compile_context, Free> context(
      had(::pcre2_compile_context_create(nullptr)));
  ::pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);  // whatever the library was built with
  int error = 0;
  PCRE2_SIZE at = 0;
  auto state = std::make_unique<State>();
  state->code.reset(::pcre2_compile(units(pattern), pattern.size(),
                                    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &at,
                                    context.get()));
  if (!state->code) {
    throw base::Error(base::Errc::usage, base::cat(reason_of(error), " at byte ", at));
  }
  state->limits.reset(had(::pcre2_match_context_create(nullptr)));
  ::pcre2_set_match_limit(state->limits.get(), most_steps);
  ::pcre2_set_depth_limit(state->limits.get(), deepest);
  ::pcre2_set_heap_limit(state->limits.get(), most_kibibytes);
  state_ = std::move(state);
}

Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

bool Regex::search(std::string_view text) const {
  if (!base::valid_utf8(text)) {
    return search(characters_of(text));
  }
  // One for each thread: it keeps the memory that the last match took.
  thread_local const std::unique_ptr<pcre2_match_data, Free> place(
      had(::pcre2_match_data_create(1, nullptr)));
  const auto* code = state_->code.get();
  auto* limits = state_->limits.get();
  const int result =
      ::pcre2_match(code, units(text), text.size(), 0, PCRE2_NO_UTF_CHECK, place.get(), limits);
  if (at_a_limit(result)) {
    // The other algorithm knows no back-references and takes polynomial time. Whether there is a
    // match at all is the same to both.
    std::vector<int> space(10'000);
    const int other = ::pcre2_dfa_match(code, units(text), text.size(), 0,
                                        PCRE2_DFA_SHORTEST | PCRE2_NO_UTF_CHECK, place.get(),
                                        limits, space.data(), space.size());
    if (other >= 0 || other == PCRE2_ERROR_NOMATCH) {
      return other >= 0;
    }
  }
  if (result < 0 && result != PCRE2_ERROR_NOMATCH) {
    throw base::Error(base::Errc::usage,
                      base::cat("takes too long to search: ", reason_of(result)));
  }
  return result >= 0;
}

}  // namespace io
