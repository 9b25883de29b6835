#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace base {

/// What kind of failure it was: decides the exit code, nothing else.
enum class Errc : std::uint8_t {
  failed,              ///< an operation did not succeed; nothing was published
  usage,               ///< the command line or the configuration asks for something impossible
  not_found,           ///< a named thing does not exist
  conflict,            ///< a thing exists with other content
  locked,              ///< another process holds the lock
  untrusted,           ///< input failed a signature, checksum, size or format check
  refused,             ///< a guard rail said no
  cleanup_incomplete,  ///< published, but what comes after it did not finish
  durability_unknown,  ///< published, but the last fsync of the directory failed
  internal,            ///< a bug of ours
};

/// The one type of a failure. `what()` is the whole message on one line: the contexts, outermost
/// first, then the reason, then the state things are in, if known.
class Error : public std::exception {
 public:
  Error(Errc code, std::string reason);

  Errc code() const { return code_; }

  /// errno of the system call behind it, 0 when there was none.
  int sys_errno() const { return errno_; }

  const std::string& reason() const { return reason_; }

  const std::string& state() const { return state_; }

  /// Puts "action object" in front of the message.
  Error& add_context(std::string context);

  /// Says what state the failure left things in ("stream unchanged"). The first one said stays.
  Error& set_state(std::string state);

  Error& set_errno(int value);

  /// The same failure, contexts and errno and all, where it means something else: another code, and
  /// `state` in place of what was said before, which stays in the message.
  Error becomes(Errc code, std::string state) const;

  const char* what() const noexcept override { return text_.c_str(); }

 private:
  void rebuild();

  Errc code_;
  int errno_ = 0;
  std::string reason_;
  std::string state_;
  std::vector<std::string> contexts_;
  std::string text_;
};

/// A stop request on its way out. No Error and no std::exception, so that whoever bears with a
/// failure does not bear with this one: only the program itself catches it, and exits with 128 plus
/// the number of the signal. Who must tidy up on the way catches `...` and throws again.
class Stopped {
 public:
  /// Says what state things were left in. The first one said stays.
  Stopped& set_state(const std::string& state);

  /// The whole message on one line.
  const std::string& message() const { return text_; }

 private:
  std::string text_ = "stopped by a signal";
  bool state_said_ = false;
};

/// Throws Error(failed) "ACTION PATH: strerror". ENOENT gives not_found.
[[noreturn]] void throw_errno(int errnum, std::string_view action, std::string_view path);

/// Runs `body`; an Error or std::exception that leaves it gets `context` put in front: a text, or
/// what makes one, for a loop in which nearly nothing fails. A stop request passes as it is.
template <typename Context, typename Body>
auto with_context(const Context& context, Body&& body) -> decltype(body());

/// Runs `body`; an Error or a stop request that leaves it says what state things are in.
template <typename Body>
auto with_state(const std::string& state, Body&& body) -> decltype(body());

/// Turns any exception into an Error (std::exception becomes Errc::internal). Throws a stop request
/// again.
Error as_error(const std::exception_ptr& thrown);

/// "error: TEXT" with control characters escaped and secrets of URLs removed; no final newline.
std::string describe(const Error& error);
std::string describe(const Stopped& stop);

template <typename Context, typename Body>
auto with_context(const Context& context, Body&& body) -> decltype(body()) {
  const auto text = [&]() -> std::string {
    if constexpr (std::is_invocable_v<Context>) {
      return context();
    } else {
      return context;
    }
  };
  try {
    return body();
  } catch (Error& error) {
    error.add_context(text());
    throw;
  } catch (const std::exception& other) {
    throw Error(Errc::internal, other.what()).add_context(text());
  }
}

template <typename Body>
auto with_state(const std::string& state, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (Error& error) {
    error.set_state(state);
    throw;
  } catch (Stopped& stop) {
    stop.set_state(state);
    throw;
  }
}

}  // namespace base
