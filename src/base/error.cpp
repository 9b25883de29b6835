#include "base/error.h"

#include <cerrno>
#include <system_error>

#include "base/strings.h"

namespace base {

Error::Error(Errc code, std::string reason) : code_(code), reason_(std::move(reason)) {
  rebuild();
}

Error& Error::add_context(std::string context) {
  contexts_.insert(contexts_.begin(), std::move(context));
  rebuild();
  return *this;
}

Error& Error::set_state(std::string state) {
  if (state_.empty()) {
    state_ = std::move(state);
    rebuild();
  }
  return *this;
}

Error& Error::set_errno(int value) {
  errno_ = value;
  return *this;
}

Error Error::becomes(Errc code, std::string state) const {
  auto other = *this;
  other.code_ = code;
  other.state_ = state_.empty() ? std::move(state) : cat(state_, "; ", state);
  other.rebuild();
  return other;
}

void Error::rebuild() {
  text_.clear();
  for (const auto& context : contexts_) {
    text_ += context + ": ";
  }
  text_ += reason_;
  if (!state_.empty()) {
    text_ += "; " + state_;
  }
}

Stopped& Stopped::set_state(const std::string& state) {
  if (!state_said_ && !state.empty()) {
    text_ += "; " + state;
    state_said_ = true;
  }
  return *this;
}

void throw_errno(int errnum, std::string_view action, std::string_view path) {
  const auto code = errnum == ENOENT ? Errc::not_found : Errc::failed;
  Error error(code, cat(action, " ", path, ": ", std::generic_category().message(errnum)));
  error.set_errno(errnum);
  throw error;
}

Error as_error(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Stopped&) {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return {Errc::internal, error.what()};
  } catch (...) {
    return {Errc::internal, "unknown exception"};
  }
}

std::string describe(const Error& error) {
  return "error: " + escape_control(redact_urls(error.what()));
}

std::string describe(const Stopped& stop) {
  return "error: " + escape_control(redact_urls(stop.message()));
}

}  // namespace base
