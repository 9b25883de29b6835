#include "cli/options.h"

#include <algorithm>
#include <array>
#include <deque>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/strings.h"
#include "cli/help.h"

namespace cli {

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  const auto near = base::nearest_word(word, known);
  return near ? base::cat("; did you mean '", *near, "'?") : std::string();
}

namespace {

[[noreturn]] void usage(const std::string& reason) {
  throw base::Error(base::Errc::usage, reason);
}

/// "-l,--label" -> "--label".
std::string long_name(const std::string& names) {
  const auto all = base::split(names, ',');
  const auto found =
      std::find_if(all.begin(), all.end(), [](const auto& name) { return name.starts_with("--"); });
  return found == all.end() ? all.front() : *found;
}

/// As the library marks flags that say no.
std::string negated(const std::string& names) {
  return base::cat("!", base::replace_all(names, ",", ",!"));
}

std::string shown(const std::string& names) {
  return base::replace_all(names, ",", ", ");
}

std::vector<std::string> long_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) {
      names.push_back(base::cat("--", name));
    }
  }
  return names;
}

/// "--dry" -> "--dry-run": the name itself, else the only one that begins so.
std::string full_name(const CLI::App& app, const std::string& name) {
  const auto known = long_names(app);
  std::vector<std::string> matches;
  for (const auto& candidate : known) {
    if (candidate == name) {
      return name;
    }
    if (candidate.starts_with(name) && name.size() > 2) {
      matches.push_back(candidate);
    }
  }
  if (matches.size() > 1) {
    usage(base::cat("'", name, "' may be ", base::join(matches, " or ")));
  }
  if (matches.empty()) {
    usage(base::cat("unknown option '", name, "'", did_you_mean(name, known)));
  }
  return matches.front();
}

bool takes_value(const CLI::App& app, const std::string& name) {
  return app.get_option(name)->get_items_expected_min() > 0;
}

/// "-vl": whether the next word is the value of the last letter.
bool letters_take_next(const CLI::App& app, const std::string& letters) {
  for (std::size_t i = 1; i < letters.size(); ++i) {
    const auto name = base::cat("-", letters[i]);
    if (app.get_option_no_throw(name) == nullptr) {
      usage(base::cat("unknown option '", name, "'"));
    }
    if (takes_value(app, name)) {
      return i + 1 == letters.size();
    }
  }
  return false;
}

/// Long options by their whole names, in the reverse order that the library wants.
std::vector<std::string> spelled_out(const CLI::App& app, std::vector<std::string> words) {
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    auto& word = words[i];
    bool with_next = false;
    if (word.starts_with("--")) {
      const auto equals = std::min(word.find('='), word.size());
      const auto name = full_name(app, word.substr(0, equals));
      with_next = takes_value(app, name) && equals + 1 >= word.size();
      if (with_next && equals < word.size()) {  // "--key=": the library would take the next word
        word.pop_back();
        words.insert(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, "");
      }
      words[i] = name + words[i].substr(equals);
    } else if (word.size() > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9')) {
      with_next = letters_take_next(app, word);
    }
    i += with_next ? 1 : 0;
  }
  std::reverse(words.begin(), words.end());
  return words;
}

template <typename Into>
Options::Take take_text(Into& into) {
  return [&into](const std::string& text) { into = text; };
}

template <typename Into>
Options::Take take_number(Into& into) {
  return [&into](const std::string& text) {
    const auto value = base::parse_decimal(text);
    if (!value) {
      usage(base::cat("'", text, "' is not a decimal number"));
    }
    into = *value;
  };
}

template <typename Into>
Options::Take take_duration(Into& into) {
  return [&into](const std::string& text) {
    const auto value = base::parse_duration(text);
    if (!value) {
      usage(base::cat("'", text, "' is not a duration such as 3d, 12h or 1d12h"));
    }
    into = *value;
  };
}

Options::Take one_of(const std::vector<std::string>& words, const Options::Take& take) {
  return [words, take](const std::string& text) {
    if (std::find(words.begin(), words.end(), text) == words.end()) {
      usage(base::cat("'", text, "' is none of ", base::join(words, ", "),
                      did_you_mean(text, words)));
    }
    take(text);
  };
}

}  // namespace

Option& Option::required() {
  parser_->required();
  return *this;
}

Option& Option::excludes(Option& other) {
  parser_->excludes(other.parser_);
  return *this;
}

Option& Option::environment(const std::string& variable) {
  parser_->envname(variable);
  entry_.text += base::cat(" [$", variable, "]");
  return *this;
}

struct Options::Command {
  CLI::App app;
  std::string name;
  std::string summary;
  std::string example;
  std::string synopsis;
  std::vector<HelpEntry> arguments;
  std::deque<Option> options;
  std::string ignored;  ///< where the library puts what a callback has taken

  Option& declare(Group group, const HelpEntry& entry, CLI::Option* parser) {
    return options.emplace_back(group, entry, parser);
  }

  /// A callback whose errors name the option.
  static std::function<void(const std::string&)> named(const std::string& names, const Take& take) {
    return [name = long_name(names), take](const std::string& text) {
      base::with_context(name, [&] { take(text); });
    };
  }
};

Options::Options(Text command, Text summary, Text example) : command_(std::make_shared<Command>()) {
  command_->name = command;
  command_->summary = summary;
  command_->example = example;
  command_->app.set_version_flag("--version", "");
  command_->app.add_flag("-v,--verbose");
}

Options Options::in(Group group) const {
  auto same = *this;
  same.group_ = group;
  return same;
}

void Options::word(Text name, std::string& into, Text help) const {
  optional_word(name, into, help);
  command_->app.get_option(name)->required();
  auto& synopsis = command_->synopsis;
  synopsis.resize(synopsis.size() - name.size() - 2);
  synopsis += name;
}

void Options::optional_word(Text name, std::string& into, Text help) const {
  command_->app.add_option(name, into);
  command_->synopsis += base::cat(" [", name, "]");
  command_->arguments.push_back({name, help});
}

Option& Options::rest(Text name, std::vector<std::string>& into, Text help, Text synopsis) const {
  command_->synopsis += base::cat(" ", synopsis.empty() ? base::cat("[", name, "]...") : synopsis);
  command_->arguments.push_back({synopsis.empty() ? name : synopsis, help});
  return command_->declare(group_, {}, command_->app.add_option(name, into));
}

Option& Options::text(Names names, Text metavar, std::string& into, Text help) const {
  return text(names, metavar, take_text(into), help);
}

Option& Options::text(Names names, Text metavar, std::optional<std::string>& into,
                      Text help) const {
  return text(names, metavar, take_text(into), help);
}

Option& Options::text(Names names, Text metavar, const Take& take, Text help) const {
  auto* parser = command_->app.add_option_function<std::string>(names, Command::named(names, take));
  parser->type_name(metavar);
  return command_->declare(group_, {base::cat(shown(names), " ", metavar), help}, parser);
}

Option& Options::list(Names names, Text metavar, std::vector<std::string>& into, Text help) const {
  return list(
      names, metavar, [&into](const auto& value) { into.push_back(value); }, help);
}

Option& Options::list(Names names, Text metavar, const Take& take, Text help) const {
  auto* parser = command_->app.add_option_function<std::vector<std::string>>(
      names, [each = Command::named(names, take)](const std::vector<std::string>& values) {
        std::for_each(values.begin(), values.end(), each);
      });
  // Else the library gives it the words that follow as well.
  parser->type_name(metavar)->allow_extra_args(false);
  return command_->declare(group_, {base::cat(shown(names), " ", metavar), help}, parser);
}

Option& Options::words(Names names, std::vector<std::string>& into, Text help) const {
  const auto take = [&into](const std::string& text) {
    const auto words = base::split_list(text, ',');
    into.insert(into.end(), words.begin(), words.end());
  };
  return list(names, "A,B,...", take, help);
}

Option& Options::choice(Names names, const std::vector<std::string>& words, std::string& into,
                        Text help) const {
  return choice(names, words, take_text(into), help);
}

Option& Options::choice(Names names, const std::vector<std::string>& words, const Take& take,
                        Text help) const {
  return text(names, base::join(words, "|"), one_of(words, take), help);
}

Option& Options::flag_or_choice(Names names, const std::vector<std::string>& words,
                                const Take& take, Text help) const {
  const auto alone = base::cat("{", words.front(), "}");
  auto* parser = command_->app.add_flag(
      base::cat(base::replace_all(names, ",", alone + ","), alone), command_->ignored);
  parser->each(Command::named(names, one_of(words, take)));
  return command_->declare(
      group_, {base::cat(shown(names), "[=", base::join(words, "|"), "]"), help}, parser);
}

Option& Options::flag(Names names, bool& into, Text help) const {
  return command_->declare(group_, {shown(names), help}, command_->app.add_flag(names, into));
}

Option& Options::flag_off(Names names, bool& into, Text help) const {
  return command_->declare(group_, {shown(names), help},
                           command_->app.add_flag(negated(names), into));
}

Option& Options::either(Names yes, Names no, bool& into, Text help) const {
  return command_->declare(group_, {shown(base::cat(yes, ",", no)), help},
                           command_->app.add_flag(base::cat(yes, ",", negated(no)), into));
}

void Options::either(Names yes, Names no, std::optional<bool>& into, Text help) const {
  auto& app = command_->app;
  const auto set = [&into](bool value) { return [&into, value](std::int64_t) { into = value; }; };
  auto* first = app.add_flag_function(yes, set(true));
  app.add_flag_function(no, set(false))->excludes(first);
  command_->declare(group_, {shown(base::cat(yes, ",", no)), help}, first);
}

Option& Options::number(Names names, std::uint64_t& into, Text help) const {
  return text(names, "N", take_number(into), help);
}

Option& Options::number(Names names, std::optional<std::uint64_t>& into, Text help) const {
  return text(names, "N", take_number(into), help);
}

Option& Options::duration(Names names, std::chrono::seconds& into, Text help) const {
  return text(names, "DURATION", take_duration(into), help);
}

Option& Options::duration(Names names, std::optional<std::chrono::seconds>& into, Text help) const {
  return text(names, "DURATION", take_duration(into), help);
}

Option& Options::size(Names names, std::optional<std::uint64_t>& into, Text help) const {
  const auto take = [&into](const std::string& text) {
    into = base::parse_bytes(text);
    if (!into) {
      usage(base::cat("'", text, "' is not a size such as 500M or 200G"));
    }
  };
  return text(names, "SIZE", take, help);
}

Options::Asked Options::parse(std::vector<std::string> words) const {
  auto& app = command_->app;
  words = spelled_out(app, std::move(words));
  try {
    app.parse(words);
  } catch (const CLI::CallForHelp&) {
    return Asked::help;
  } catch (const CLI::CallForVersion&) {
    return Asked::version;
  } catch (const CLI::ParseError& error) {
    usage(error.what());
  }
  return Asked::work;
}

unsigned Options::verbosity() const {
  return static_cast<unsigned>(command_->app.count("--verbose"));
}

std::string Options::help(const std::vector<HelpEntry>& subcommands) const {
  constexpr std::array headings = {"What", "Trust", "Download", "Publication", "Output"};
  std::array<std::vector<HelpEntry>, headings.size()> groups;
  for (const auto& option : command_->options) {
    if (!option.entry_.label.empty()) {
      groups.at(static_cast<std::size_t>(option.group_)).push_back(option.entry_);
    }
  }
  groups.back().push_back({"-v, --verbose", "Say more on stderr"});
  groups.back().push_back({"--version", "Print the version"});
  groups.back().push_back({"-h, --help", "Print this"});
  auto out =
      base::cat(wrapped(base::cat("Usage: ", command_->name, subcommands.empty() ? "" : " COMMAND",
                                  " [OPTION]...", command_->synopsis,
                                  subcommands.empty() ? "" : " [ARGUMENT]..."),
                        std::string("Usage: ").size()),
                "\n", wrapped(command_->summary), help_section("Arguments", command_->arguments),
                help_section("Subcommands", subcommands));
  for (std::size_t i = 0; i < headings.size(); ++i) {
    out += help_section(headings.at(i), groups.at(i));
  }
  return base::cat(out, "\nExample:\n  ", base::replace_all(command_->example, "\n", "\n  "), "\n");
}

}  // namespace cli
