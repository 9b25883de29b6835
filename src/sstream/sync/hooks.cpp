#include "sstream/sync/hooks.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include <unistd.h>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "base/template.h"

namespace sstream {

namespace {

using Arguments = std::vector<std::string>;

// What the kernel takes: of one string (MAX_ARG_STRLEN), and about a quarter of what it takes of
// all where the stack may grow to 8 MB.
constexpr std::size_t longest_variable = 131'071;
constexpr std::size_t all_variables = 512 * 1024;
constexpr int broken_pipe = 128 + 13;

std::string option_of(const std::string& hook) {
  return hook.empty() ? "--hook" : "--hook-" + base::replace_all(hook, "_", "-");
}

bool is_executable(const std::string& program) {
  if (program.find('/') == std::string::npos) {
    return base::find_program(program).has_value();
  }

  return base::is_file_at(AT_FDCWD, program) && ::access(program.c_str(), X_OK) == 0;
}

/// What metadata says must never be read as a program by a shell.
void require_no_injection(const std::string& option, const Arguments& arguments) {
  static const std::set<std::string> shells = {"sh",  "bash", "dash", "zsh",
                                               "ksh", "ash",  "mksh", "busybox"};
  if (!shells.contains(base::base_name(arguments.front()))) {
    return;
  }
  for (std::size_t i = 1; i + 1 < arguments.size(); ++i) {
    const auto& flag = arguments[i];
    if (flag.starts_with('-') && flag.ends_with('c') &&
        arguments[i + 1].find("%(") != std::string::npos) {
      throw base::Error(
          base::Errc::usage,
          base::cat(option, ": '", arguments[i + 1],
                    "' would make a shell run what the metadata says; write \"$name\" "
                    "instead of %(name)s"));
    }
  }
}

void require_program(const std::string& hook, const Arguments& arguments,
                     const std::optional<std::string>& unset) {
  const auto option = option_of(hook);
  if (!is_executable(arguments.front())) {
    throw base::Error(base::Errc::usage, base::cat("invalid input for ", option, ". '",
                                                   arguments.front(), "' is not executable"));
  }
  require_no_injection(option, arguments);
  for (const auto& argument : arguments) {
    // Which tags there will be is not known yet; whether it is a template is.
    base::with_context(option, [&] { base::expand_template(argument, {}, unset.value_or("")); });
  }
}

bool is_variable(const std::string& name) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto letter = [&](char c) { return lower(c) || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) && std::any_of(name.begin(), name.end(), lower) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); }) &&
         !name.ends_with("_proxy");
}

void require_fit(const std::map<std::string, std::string>& variables) {
  std::size_t all = 0;
  for (const auto& [name, value] : variables) {
    if (value.find('\0') != std::string::npos) {
      throw base::Error(base::Errc::untrusted, base::cat("the tag ", name, " has a NUL in it"));
    }
    const auto size = name.size() + value.size() + 2;
    all += size;
    if (size > longest_variable || all > all_variables) {
      throw base::Error(base::Errc::untrusted,
                        base::cat("the tag ", name, ": more than a program can be given"));
    }
  }
}

}  // namespace

const std::vector<std::string>& hook_names() {
  static const std::vector<std::string> names = {
      "filter_index_entry", "filter_item", "filter_product", "filter_version",  "insert_index",
      "insert_index_entry", "insert_item", "insert_product", "insert_products", "insert_version",
      "load_products",      "remove_item", "remove_product", "remove_version"};
  return names;
}

Hooks::Hooks(HookPrograms programs, const base::Log& log, std::stop_token stop)
    : programs_(std::move(programs)), log_(&log), stop_(std::move(stop)) {
  if (!programs_.fallback.empty()) {
    require_program("", programs_.fallback, programs_.unset);
  }
  for (const auto& [hook, arguments] : programs_.own) {
    const auto& names = hook_names();
    if (std::find(names.begin(), names.end(), hook) == names.end()) {
      throw base::Error(base::Errc::usage, base::cat("there is no hook '", hook, "'"));
    }
    if (!arguments.empty()) {
      require_program(hook, arguments, programs_.unset);
    }
  }
}

const Arguments& Hooks::program(const std::string& hook) const {
  const auto own = programs_.own.find(hook);
  return own != programs_.own.end() ? own->second : programs_.fallback;
}

bool Hooks::has(const std::string& hook) const {
  return !program(hook).empty();
}

int Hooks::run(const std::string& hook, const HookSubject& subject, std::string* output) const {
  auto all = subject.tags;
  for (const auto& [name, value] : subject.more) {
    all.insert_or_assign(name, value);
  }
  require_fit(all);
  base::Command command;
  std::vector<std::string> fields;
  for (const auto& [name, value] : all) {
    if (is_variable(name)) {
      command.env.emplace(name, value);
      fields.push_back(name);
    }
  }
  command.env["FIELDS"] = base::join(fields, " ");
  command.env["HOOK"] = hook;
  for (const auto& argument : program(hook)) {
    command.argv.push_back(base::expand_template(argument, all, programs_.unset));
  }
  command.capture_output = output != nullptr;
  log_->debug(base::cat(hook, " ", subject.name, ": ", base::shell_quote(command.argv)));
  auto outcome = base::run(command, stop_);
  if (output != nullptr) {
    *output = std::move(outcome.output);
  }
  if (outcome.status == broken_pipe) {
    throw base::Error(base::Errc::failed, "the reader of its output went away").set_errno(EPIPE);
  }
  return outcome.status;
}

bool Hooks::wants(const std::string& hook, const HookSubject& subject) const {
  if (!has(hook)) {
    return true;
  }
  return base::with_context(base::cat("hook ", hook, " of ", subject.name), [&] {
    const auto status = run(hook, subject, nullptr);
    if (status > 1) {
      throw base::Error(base::Errc::failed, base::cat(program(hook).front(), ": exit status ",
                                                      status, ", must be 0 (yes) or 1 (no)"));
    }
    return status == 0;
  });
}

void Hooks::tell(const std::string& hook, const HookSubject& subject) const {
  require_success(hook, subject, nullptr);
}

std::string Hooks::ask(const std::string& hook, const HookSubject& subject) const {
  std::string output;
  require_success(hook, subject, &output);
  return output;
}

void Hooks::require_success(const std::string& hook, const HookSubject& subject,
                            std::string* output) const {
  if (has(hook)) {
    base::with_context(base::cat("hook ", hook, " of ", subject.name), [&] {
      if (const auto status = run(hook, subject, output); status != 0) {
        throw base::Error(base::Errc::failed,
                          base::cat(program(hook).front(), ": exit status ", status));
      }
    });
  }
}

}  // namespace sstream
