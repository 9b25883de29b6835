#include "sstream/staging/staging.h"

#include <sys/file.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "io/hash/digest.h"
#include "sstream/staging/staged_batch.h"
#include "sstream/staging/staging_area.h"
#include "tests/support/publication_world.h"

namespace {

using base::Errc;
using sstream::NewFile;

/// Answers every request with what its URL ends in, but for those that end in "gone".
class Echo : public support::NoNetwork {
 public:
  void fetch(std::vector<io::FileRequest>& requests, base::Progress& /*progress*/,
             const std::function<void(std::size_t, std::exception_ptr)>& done,
             const std::stop_token& /*stop*/) override {
    largest = std::max(largest, requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto& request = requests[i];
      urls.push_back(request.url);
      const auto content = base::base_name(request.url);
      if (content.ends_with("gone")) {
        done(i, std::make_exception_ptr(base::Error(Errc::not_found, "HTTP 404")));
        continue;
      }
      request.into->write(content);
      const bool right = content.size() == request.size &&
                         io::digest_hex(request.algorithm, content) == request.digest;
      done(i, right ? nullptr : std::make_exception_ptr(base::Error(Errc::untrusted, "a lie")));
    }
  }

  std::vector<std::string> urls;
  std::size_t largest = 0;
};

class Staging : public testing::Test {
 protected:
  /// Files with these contents, to be downloaded.
  static std::vector<NewFile> remote(const std::vector<std::string>& contents) {
    std::vector<NewFile> files;
    files.reserve(contents.size());
    for (const auto& content : contents) {
      files.push_back(remote("data/" + content, content));
    }
    return files;
  }

  /// One of them.
  static NewFile remote(const std::string& path, const std::string& content) {
    NewFile file;
    file.path = path;
    file.expected.sha256 = io::digest_hex(io::Algorithm::sha256, content);
    file.expected.size = content.size();
    file.origin = "http://127.0.0.1/" + content;
    return file;
  }

  NewFile local(const std::string& path, const std::string& content) const {
    auto file = remote(path, content);
    file.origin = world.write("origin/" + content, content);
    return file;
  }

  std::string content(const std::string& path) const {
    const auto full = world.path("repo/" + path);
    return base::exists_at(AT_FDCWD, full) ? base::read_file(full) : "absent";
  }

  bool staging_is_empty() const {
    return base::list_directory(world.path("repo/.data/.sstream/txn")).empty();
  }

  void bring_in(const std::vector<NewFile>& files) {
    sstream::bring_in(repository, sstream::FileList(files), context);
  }

  void bring_in_batches(const std::vector<NewFile>& files) { bring_in_batches(repository, files); }

  /// As a mirror does it. Returns how many were there.
  std::size_t bring_in_batches(const sstream::Repository& into, const std::vector<NewFile>& files) {
    sstream::FileList list(sstream::Naming::as_they_come);
    list.add(files);
    const auto staged = sstream::find_missing(into, list, context);
    sstream::bring_in(into, staged.missing, context);
    return staged.reused;
  }

  support::World world;
  Echo network;
  sstream::Context context{world.clock, world.log, world.progress, network, {}};
  sstream::Repository repository{world.path("repo"), sstream::Access::write, true};
};

constexpr std::size_t several_batches = 3 * sstream::StagedBatch::most_contents + 5;

/// What several batches hold; `gone` says which of them cannot be had.
std::vector<std::string> contents(const std::function<bool(std::size_t i)>& gone) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < several_batches; ++i) {
    all.push_back(base::cat("content", i, gone(i) ? "gone" : ""));
  }
  return all;
}

bool none(std::size_t /*i*/) {
  return false;
}

bool the_seventh(std::size_t i) {
  return i == 7;
}

bool every_one(std::size_t /*i*/) {
  return true;
}

TEST_F(Staging, AnyNumberOfFilesComesInAndFewAreOpenAtOnce) {
  const auto all = contents(none);
  bring_in(remote(all));
  EXPECT_TRUE(std::all_of(all.begin(), all.end(), [&](const std::string& expected) {
    return content("data/" + expected) == expected;
  }));
  EXPECT_EQ(network.urls.size(), several_batches);
  EXPECT_EQ(network.largest, sstream::StagedBatch::most_contents);
  EXPECT_TRUE(staging_is_empty());
}

TEST_F(Staging, EqualContentIsFetchedOnceHoweverMuchLiesBetween) {
  std::vector<NewFile> files;
  for (std::size_t i = 0; i < several_batches; ++i) {
    files.push_back(remote(base::cat("data/", i), base::cat("content", i % 200)));
  }
  bring_in(files);
  EXPECT_EQ(network.urls.size(), 200U);
  EXPECT_EQ(content("data/150"), "content150");
  EXPECT_EQ(content("data/350"), "content150");
}

TEST_F(Staging, OneThatCannotBeHadLeavesAllFinalNamesAlone) {
  EXPECT_THROW(bring_in(remote(contents(the_seventh))), base::Error);
  EXPECT_FALSE(base::exists_at(AT_FDCWD, world.path("repo/data")));
  EXPECT_EQ(network.urls.size(), several_batches);
}

TEST_F(Staging, WhatWasCopiedForNothingGoesAway) {
  auto files = std::vector{local("data/1", "right"), local("data/2", "wrong")};
  files[1].expected.sha256 = std::string(64, 'a');
  EXPECT_THROW(bring_in(files), base::Error);
  EXPECT_EQ(content("data/1"), "absent");
  EXPECT_TRUE(staging_is_empty());
}

TEST_F(Staging, WhatIsHereIsNotDownloaded) {
  bring_in({remote("data/1", "same"), local("data/2", "same")});
  EXPECT_EQ(content("data/1"), "same");
  EXPECT_EQ(content("data/2"), "same");
  EXPECT_TRUE(network.urls.empty());
}

TEST_F(Staging, AllDigestsHaveToBeRight) {
  auto file = remote("data/1", "content");
  file.expected.md5 = std::string(32, 'a');
  EXPECT_THROW(bring_in({file}), base::Error);
  EXPECT_EQ(content("data/1"), "absent");
}

TEST_F(Staging, OfALongListTheRestComesInWhereOneCannotBeHad) {
  const auto all = contents(the_seventh);
  EXPECT_THROW(bring_in_batches(remote(all)), base::Error);
  EXPECT_EQ(content("data/content7gone"), "absent");
  EXPECT_EQ(content("data/" + all.back()), all.back());
}

TEST_F(Staging, OfALongListNothingIsAskedForOnceNothingCanBeHad) {
  EXPECT_THROW(bring_in_batches(remote(contents(every_one))), base::Error);
  EXPECT_EQ(network.urls.size(), sstream::StagedBatch::most_contents);
}

TEST_F(Staging, OfALongListWhatIsThereIsNotFetchedWhereverItIs) {
  base::make_directories(world.path("pool"));
  ASSERT_EQ(::symlink("../pool", world.path("repo/data").c_str()), 0);
  const sstream::Repository with_pool(world.path("repo"), sstream::Access::write);
  world.write("repo/top", "top");
  world.write("pool/pooled", "pooled");
  world.write("pool/deep/inside", "inside");
  world.write("repo/other/there", "there");
  const std::vector<NewFile> files = {remote("top", "top"),
                                      remote("data/pooled", "pooled"),
                                      remote("data/deep/inside", "inside"),
                                      remote("data/absent/first", "first"),
                                      remote("other/there", "there"),
                                      remote("other/second", "second"),
                                      remote("none/deeper/third", "third")};
  EXPECT_EQ(bring_in_batches(with_pool, files), 4U);
  EXPECT_THAT(network.urls,
              testing::UnorderedElementsAre("http://127.0.0.1/first", "http://127.0.0.1/second",
                                            "http://127.0.0.1/third"));
  EXPECT_EQ(content("none/deeper/third"), "third");
  EXPECT_EQ(content("data/absent/first"), "first");
}

/// Process numbers repeat in containers that share a repository.
TEST_F(Staging, ADirectoryThatSomebodyElseHoldsIsNotShared) {
  const auto names = [&] { return base::list_directory(world.path("repo/.data/.sstream/txn")); };
  const auto process = base::cat(::getpid(), "-");
  std::uint64_t number = 0;
  {
    const sstream::StagingArea first(repository, world.clock);
    number = base::parse_decimal(names().at(0).substr(process.size())).value();
  }
  const auto theirs = base::cat(process, number + 1);
  world.write("repo/.data/.sstream/txn/" + theirs + "/part", "of a file");
  const auto held =
      base::open_file(world.path("repo/.data/.sstream/txn/" + theirs), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::flock(held.fd(), LOCK_EX), 0);
  const sstream::StagingArea ours(repository, world.clock);
  EXPECT_THAT(names(), testing::UnorderedElementsAre(theirs, base::cat(process, number + 2)));
  EXPECT_EQ(content(".data/.sstream/txn/" + theirs + "/part"), "of a file");
}

TEST_F(Staging, WhoLiesAboutASizeGetsNobodyElsesFile) {
  auto lie = remote("data/content", "content");
  lie.path = "other/content";
  lie.expected.size = 5;
  EXPECT_THROW(bring_in({remote("data/content", "content"), lie}), base::Error);
  EXPECT_EQ(network.urls.size(), 2U);
  EXPECT_EQ(content("other/content"), "absent");
}

}  // namespace
