#include "cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/strings.h"

namespace {

using testing::ElementsAre;

/// A command with an option of each kind, and what these were set to.
struct World {
  std::string source, label, lint, form;
  std::vector<std::string> filters, mirrors;
  std::optional<std::string> why;
  std::optional<std::uint64_t> max, bytes;
  std::optional<bool> di;
  std::optional<std::chrono::seconds> soak;
  std::uint64_t least = 1;
  bool sign = true, keep = false, resume = true, plan = false;
  cli::Options line{"tool copy", "Copies what is there", "tool copy here\ntool copy there"};

  World() {
    line.word("SRC", source, "Where from");
    line.rest("FILTER", filters, "Only what matches");
    line.text("-l,--label", "LABEL", label, "What it is called").environment("CLI_TEST_LABEL");
    line.list("--mirror", "URL", mirrors, "Another place (may be repeated)");
    auto& wants_plan = line.flag("--plan", plan, "Only say what would be done");
    line.text("--why", "PRODUCT", why, "Only say why").excludes(wants_plan);
    line.number("--max", max, "Not more");
    line.number("--min-keep", least, "Not less");
    line.duration("--soak", soak,
                  "Nothing that is younger, however long the description of this "
                  "option, which even names --max, becomes");
    line.flag("--keep", keep, "Keep the others");
    line.flag_off("--no-resume", resume, "Begin anew");
    line.either("--enable-di", "--disable-di", di, "With kernels, or without");
    const auto publication = line.in(cli::Group::publication);
    publication.either("--sign", "-u,--no-sign", sign, "Sign, or do not");
    publication.flag_or_choice(
        "-n,--dry-run", {"text", "json"}, [this](const std::string& value) { form = value; },
        "Do nothing");
    publication.choice("--lint", {"off", "warn", "error"}, lint, "What to do about slips");
    line.in(cli::Group::download).size("--budget", bytes, "Not more bytes");
  }

  cli::Options::Asked parse(const std::string& words) {
    return line.parse(words.empty() ? std::vector<std::string>() : base::split(words, ' '));
  }
};

TEST(Options, HoldWhatTheLineSays) {
  World world;
  EXPECT_EQ(world.parse("--mirror a src --mirror b x=1 -nul lab --max 010 --soak 1d12h y=2 --keep "
                        "--no-resume --disable-di --lint=warn --budget 2k --why= -vv"),
            cli::Options::Asked::work);
  EXPECT_EQ(world.source, "src");
  EXPECT_THAT(world.filters, ElementsAre("x=1", "y=2"));
  EXPECT_THAT(world.mirrors, ElementsAre("a", "b"));
  EXPECT_EQ(world.form, "text");
  EXPECT_FALSE(world.sign);
  EXPECT_EQ(world.label, "lab");
  EXPECT_EQ(world.max, 10U);
  EXPECT_EQ(world.least, 1U);
  EXPECT_EQ(world.soak, std::chrono::hours(36));
  EXPECT_TRUE(world.keep);
  EXPECT_FALSE(world.resume);
  EXPECT_EQ(world.di, false);
  EXPECT_EQ(world.lint, "warn");
  EXPECT_EQ(world.bytes, 2048U);
  EXPECT_EQ(world.why, "");
  EXPECT_EQ(world.line.verbosity(), 2U);
}

TEST(Options, AreNotTouchedWhereTheLineIsSilent) {
  World world;
  world.parse("src");
  EXPECT_TRUE(world.sign && world.resume);
  EXPECT_EQ(world.di, std::nullopt);
  EXPECT_EQ(world.why, std::nullopt);
  EXPECT_EQ(world.max, std::nullopt);
  EXPECT_EQ(world.line.verbosity(), 0U);
}

TEST(Options, TheLastOfSignAndNoSignCounts) {
  World world;
  world.parse("src --no-sign --sign");
  EXPECT_TRUE(world.sign);
}

TEST(Options, TakeUniquePrefixesButNotOfValues) {
  World world;
  world.parse("src --dry=json --lab --lint --mir x");
  EXPECT_EQ(world.form, "json");
  EXPECT_EQ(world.label, "--lint");
  EXPECT_THAT(world.mirrors, ElementsAre("x"));
}

TEST(Options, EverythingIsAnArgumentBehindTwoDashes) {
  World world;
  world.parse("-- src --lint -x");
  EXPECT_THAT(world.filters, ElementsAre("--lint", "-x"));
}

TEST(Options, TheEnvironmentCountsWhereTheLineIsSilent) {
  ::setenv("CLI_TEST_LABEL", "theirs", 1);  // NOLINT(concurrency-mt-unsafe)
  World world;
  world.parse("src");
  EXPECT_EQ(world.label, "theirs");
  World other;
  other.parse("src --label mine");
  EXPECT_EQ(other.label, "mine");
  ::unsetenv("CLI_TEST_LABEL");  // NOLINT(concurrency-mt-unsafe)
}

TEST(Options, HelpAndVersionNeedNothingElse) {
  EXPECT_EQ(World().parse("--help"), cli::Options::Asked::help);
  EXPECT_EQ(World().parse("-h"), cli::Options::Asked::help);
  EXPECT_EQ(World().parse("-v --vers"), cli::Options::Asked::version);
}

struct Refusal {
  std::string words;
  std::string reason;
};

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, SaysWhatIsWrong) {
  World world;
  try {
    world.parse(GetParam().words);
    FAIL() << "accepted: " << GetParam().words;
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Errc::usage);
    EXPECT_EQ(error.what(), GetParam().reason);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Options, Refused,
    testing::Values(
        Refusal{"", "SRC is required"},
        Refusal{"src --dryrun", "unknown option '--dryrun'; did you mean '--dry-run'?"},
        Refusal{"src --xyzzy", "unknown option '--xyzzy'"},
        Refusal{"src -x", "unknown option '-x'"}, Refusal{"src -nx", "unknown option '-x'"},
        Refusal{"src --m 1", "'--m' may be --mirror or --max or --min-keep"},
        Refusal{"src --label", "--label: 1 required LABEL missing"},
        Refusal{"src --max 1x", "--max: '1x' is not a decimal number"},
        Refusal{"src --soak soon", "--soak: 'soon' is not a duration such as 3d, 12h or 1d12h"},
        Refusal{"src --budget much", "--budget: 'much' is not a size such as 500M or 200G"},
        Refusal{"src --lint warm",
                "--lint: 'warm' is none of off, warn, error; did you mean 'warn'?"},
        Refusal{"src --dry-run=yaml", "--dry-run: 'yaml' is none of text, json"},
        Refusal{"src --plan --why a", "--plan excludes --why"},
        Refusal{"src --enable-di --disable-di", "--enable-di excludes --disable-di"}));

TEST(Options, HelpIsForPeople) {
  EXPECT_EQ(World().line.help(), R"(Usage: tool copy [OPTION]... SRC [FILTER]...

Copies what is there

Arguments:
  SRC                         Where from
  FILTER                      Only what matches

What:
  -l, --label LABEL           What it is called [$CLI_TEST_LABEL]
      --mirror URL            Another place (may be repeated)
      --plan                  Only say what would be done
      --why PRODUCT           Only say why
      --max N                 Not more
      --min-keep N            Not less
      --soak DURATION         Nothing that is younger, however long the
                              description of this option, which even
                              names --max, becomes
      --keep                  Keep the others
      --no-resume             Begin anew
      --enable-di, --disable-di
                              With kernels, or without

Download:
      --budget SIZE           Not more bytes

Publication:
      --sign, -u, --no-sign   Sign, or do not
  -n, --dry-run[=text|json]   Do nothing
      --lint off|warn|error   What to do about slips

Output:
  -v, --verbose               Say more on stderr
      --version               Print the version
  -h, --help                  Print this

Example:
  tool copy here
  tool copy there
)");
}

}  // namespace
