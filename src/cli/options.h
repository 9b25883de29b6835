#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class Option;
}

namespace cli {

/// The headings of a --help, in this order.
enum class Group : std::uint8_t { what, trust, download, publication, output };

/// A line of a --help, and what is said of it.
struct HelpEntry {
  std::string label;
  std::string text;
};

/// "; did you mean 'WORD'?" of the known word that is near, else nothing.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& known);

/// An option that was declared, and what can be said of it beyond that.
class Option {
 public:
  Option(Group group, HelpEntry entry, CLI::Option* parser)
      : group_(group), entry_(std::move(entry)), parser_(parser) {}

  Option& required();
  Option& excludes(Option& other);
  /// Set by this variable of the environment where the command line does not.
  Option& environment(const std::string& variable);

 private:
  friend class Options;

  Group group_;
  HelpEntry entry_;
  CLI::Option* parser_;
};

/// What a command takes on its line. A handle: copies declare into the same command.
///
/// `names` are "-l,--label". A metavar is in capitals; what the options are set to has to outlive
/// parse(). A value that is not what was declared is an Error(usage).
class Options {
 public:
  using Names = const std::string&;
  using Text = const std::string&;
  /// Takes a value; Error(usage), without the option's name, where it is none.
  using Take = std::function<void(const std::string& value)>;

  /// `command` as it is called, with the program: "meph2-util promote".
  Options(Text command, Text summary, Text example);

  /// The same command, with another heading for what is declared.
  Options in(Group group) const;

  /// An argument that has to be there, and one that need not.
  void word(Text name, std::string& into, Text help) const;
  void optional_word(Text name, std::string& into, Text help) const;
  /// All arguments that are left; `synopsis` is what they are, if not "[NAME]...".
  Option& rest(Text name, std::vector<std::string>& into, Text help, Text synopsis = "") const;

  Option& text(Names names, Text metavar, std::string& into, Text help) const;
  Option& text(Names names, Text metavar, std::optional<std::string>& into, Text help) const;
  Option& text(Names names, Text metavar, const Take& take, Text help) const;
  /// May be repeated; one value each time.
  Option& list(Names names, Text metavar, std::vector<std::string>& into, Text help) const;
  Option& list(Names names, Text metavar, const Take& take, Text help) const;
  /// Words with commas between them; may be repeated.
  Option& words(Names names, std::vector<std::string>& into, Text help) const;
  /// One of these words.
  Option& choice(Names names, const std::vector<std::string>& words, std::string& into,
                 Text help) const;
  Option& choice(Names names, const std::vector<std::string>& words, const Take& take,
                 Text help) const;
  /// --name, which means the first of the words, or --name=WORD.
  Option& flag_or_choice(Names names, const std::vector<std::string>& words, const Take& take,
                         Text help) const;

  Option& flag(Names names, bool& into, Text help) const;
  /// A flag that makes `into` false.
  Option& flag_off(Names names, bool& into, Text help) const;
  /// Two flags of which the last one counts, or which exclude each other.
  Option& either(Names yes, Names no, bool& into, Text help) const;
  void either(Names yes, Names no, std::optional<bool>& into, Text help) const;

  /// Decimal digits; 010 is ten.
  Option& number(Names names, std::uint64_t& into, Text help) const;
  Option& number(Names names, std::optional<std::uint64_t>& into, Text help) const;
  /// "3d", "12h", "1d12h".
  Option& duration(Names names, std::chrono::seconds& into, Text help) const;
  Option& duration(Names names, std::optional<std::chrono::seconds>& into, Text help) const;
  /// "500M", "200G": bytes.
  Option& size(Names names, std::optional<std::uint64_t>& into, Text help) const;

  enum class Asked : std::uint8_t { work, help, version };

  /// Unique prefixes of long options are accepted, as argparse does. Error(usage) says what is
  /// wrong, and what may have been meant.
  Asked parse(std::vector<std::string> words) const;

  /// How often -v was given.
  unsigned verbosity() const;

  /// The whole text of --help. `subcommands` are what the command consists of.
  std::string help(const std::vector<HelpEntry>& subcommands = {}) const;

 private:
  struct Command;

  std::shared_ptr<Command> command_;
  Group group_ = Group::what;
};

}  // namespace cli
