#include "sstream/sync/hooks.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "tests/support/refused.h"

namespace {

using testing::HasSubstr;

class HooksTest : public testing::Test {
 protected:
  /// An executable that runs this text, the shell's own.
  std::string script(const std::string& name, const std::string& text) {
    const auto path = base::cat(directory.path(), "/", name);
    auto file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    file.write("#!/bin/sh\n" + text + "\n");
    EXPECT_EQ(::fchmod(file.fd(), 0755), 0);
    return path;
  }

  sstream::Hooks hooks(sstream::HookPrograms programs) {
    return sstream::Hooks(std::move(programs), log, {});
  }

  sstream::Hooks all(const std::string& program) { return hooks({{}, {program}, {}}); }

  std::string refusal(sstream::HookPrograms programs) {
    return support::verdict(base::Errc::usage, [&] { hooks(std::move(programs)); });
  }

  template <typename Call>
  base::Error error_of(const Call& call) {
    try {
      call();
    } catch (const base::Error& error) {
      return error;
    }
    return {base::Errc::internal, "no error"};
  }

  base::TempDir directory{"hooks"};
  base::Log log{"test", base::LogLevel::error, [](base::LogLevel, const std::string&) {}};
  sstream::HookSubject item{"p/1/a",
                            {{"arch", "amd64"}, {"item_name", "a"}, {"path", "x/a"}},
                            {{"path_local", "/tmp/x"}}};
};

TEST_F(HooksTest, GivesTheTagsAsVariables) {
  const auto show = script("show", R"(echo "$HOOK [$FIELDS] $arch $path $path_local")");
  EXPECT_EQ(all(show).ask("load_products", item),
            "load_products [arch item_name path path_local] amd64 x/a /tmp/x\n");
}

TEST_F(HooksTest, ATagIsNeverWhatProgramsObey) {
  item.tags.insert({{"PATH", "/evil"},
                    {"LD_PRELOAD", "evil.so"},
                    {"HOOK", "evil"},
                    {"https_proxy", "http://evil"},
                    {"BASH_FUNC_cat%%", "() { echo evil; }"},
                    {"a-b", "evil"},
                    {"1a", "evil"}});
  const auto show = script("show", "env");
  const auto output = all(show).ask("load_products", item);
  EXPECT_THAT(output, testing::Not(HasSubstr("evil")));
  EXPECT_THAT(output, HasSubstr("FIELDS=arch item_name path path_local\n"));
}

TEST_F(HooksTest, MetadataIsNoProgram) {
  item.tags["path"] = "$(touch pwned); `touch pwned`";
  const auto show = script("show", R"(printf '%s\n' "$1" "$path")");
  const auto with_argument = hooks({{{"load_products", {show, "%(path)s"}}}, {}, {}});
  EXPECT_EQ(with_argument.ask("load_products", item),
            base::cat(item.tags["path"], "\n", item.tags["path"], "\n"));
  EXPECT_THAT(refusal({{{"insert_item", {"sh", "-c", "cp %(path)s there"}}}, {}, {}}),
              HasSubstr("--hook-insert-item: 'cp %(path)s there' would make a shell run"));
  EXPECT_EQ(refusal({{{"insert_item", {"sh", "-c", "cp \"$path\" there"}}}, {}, {}}), "accepted");
}

TEST_F(HooksTest, SaysWhichProgramIsNone) {
  EXPECT_EQ(refusal({{}, {"./nosuch"}, {}}),
            "invalid input for --hook. './nosuch' is not executable");
  EXPECT_EQ(refusal({{{"insert_item", {"no-such-program"}}}, {}, {}}),
            "invalid input for --hook-insert-item. 'no-such-program' is not executable");
  EXPECT_THAT(refusal({{}, {directory.path()}, {}}), HasSubstr("is not executable"));
  EXPECT_THAT(refusal({{{"nosuch", {"true"}}}, {}, {}}), HasSubstr("no hook 'nosuch'"));
  EXPECT_THAT(refusal({{}, {"true", "%(path"}, {}}), HasSubstr("expected %(NAME)s"));
}

TEST_F(HooksTest, FiltersAnswerYesOrNoAndOthersMustSucceed) {
  EXPECT_TRUE(all(script("yes", "exit 0")).wants("filter_item", item));
  EXPECT_FALSE(all(script("no", "exit 1")).wants("filter_item", item));
  const auto odd = script("odd", "exit 3");
  EXPECT_STREQ(
      error_of([&] { all(odd).wants("filter_item", item); }).what(),
      base::cat("hook filter_item of p/1/a: ", odd, ": exit status 3, must be 0 (yes) or 1 (no)")
          .c_str());
  EXPECT_STREQ(error_of([&] { all(odd).tell("insert_item", item); }).what(),
               base::cat("hook insert_item of p/1/a: ", odd, ": exit status 3").c_str());
  EXPECT_EQ(
      error_of([&] { all(script("gone", "exit 141")).tell("insert_item", item); }).sys_errno(),
      EPIPE);
  // An empty one is none, and none is content.
  const auto none = hooks({{{"insert_item", {}}}, {odd}, {}});
  EXPECT_FALSE(none.has("insert_item"));
  EXPECT_NO_THROW(none.tell("insert_item", item));
}

TEST_F(HooksTest, AMissingTagIsAnErrorUnlessItHasAStandIn) {
  const auto show = script("show", R"(echo "$1")");
  EXPECT_THAT(error_of([&] {
                hooks({{}, {show, "%(nosuch)s"}, {}}).ask("load_products", item);
              }).what(),
              HasSubstr("unknown variable 'nosuch'"));
  EXPECT_EQ(hooks({{}, {show, "%(nosuch)s"}, "-"}).ask("load_products", item), "-\n");
}

TEST_F(HooksTest, RefusesMoreThanAProgramCanBeGiven) {
  const auto code_of = [&](const std::string& value) {
    item.tags["big"] = value;
    return error_of([&] { all("true").tell("insert_item", item); }).code();
  };
  EXPECT_EQ(code_of(std::string(131'000, 'x')), base::Errc::internal);  // none: it can
  EXPECT_EQ(code_of(std::string(131'100, 'x')), base::Errc::untrusted);
  EXPECT_EQ(code_of(std::string("a\0b", 3)), base::Errc::untrusted);
  item.tags.erase("big");
  for (int i = 0; i < 60; ++i) {
    item.tags[base::cat("t", i)] = std::string(10'000, 'x');
  }
  EXPECT_EQ(error_of([&] { all("true").tell("insert_item", item); }).code(), base::Errc::untrusted);
}

}  // namespace
