#include "sstream/janitor/references.h"

#include "sstream/janitor/named_paths.h"
#include "tests/io/meph2/janitor/streams.h"
#include "tests/support/refused.h"

namespace {

using base::Errc;
using sstream::Access;
using sstream::Reference;
using sstream::ReferencePolicy;
using sstream::Repository;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

class References : public support::JanitorWorld {
 protected:
  using Named = std::vector<std::pair<std::string, std::string>>;

  Repository repository() const { return {world.path("repo"), Access::read}; }

  /// (generation, path) of every reference.
  Named references(const ReferencePolicy& policy = {}) const {
    Named out;
    sstream::for_each_reference(repository(), policy, [&](const Reference& reference) {
      out.emplace_back(reference.generation, reference.path);
    });
    return out;
  }

  Named named_paths(const ReferencePolicy& policy = {}) const {
    Named out;
    sstream::for_each_named_path(repository(), policy,
                                 [&](std::string_view path, std::string_view generation) {
                                   if (!path.starts_with("streams/")) {
                                     out.emplace_back(generation, path);
                                   }
                                 });
    return out;
  }

  /// Both ways of reading must end like this.
  void expect_error(Errc code, const std::string& part, const ReferencePolicy& policy = {}) const {
    std::string what;
    what = support::refused(code, [&] { references(policy); });
    EXPECT_THAT(what, HasSubstr(part));
    what = support::refused(code, [&] { named_paths(policy); });
    EXPECT_THAT(what, HasSubstr(part));
  }

  std::string stream_file() const {
    return world.path(base::cat("repo/streams/v1/", support::janitor_content, ".json"));
  }

  void edit(const std::string& from, const std::string& to) const {
    base::replace_file(stream_file(), base::replace_all(base::read_file(stream_file()), from, to));
  }
};

TEST_F(References, AreThoseOfTheLiveGenerationAndOfTheKeptOnes) {
  publish("repo", {{"1", {"a/1"}}});
  publish("repo", {{"1", {"a/1"}}, {"2", {"a/2"}}});
  publish("repo", {{"2", {"a/2"}}});
  EXPECT_THAT(references(), ElementsAre(Pair("", "a/2"), Pair("00000002", "a/1"),
                                        Pair("00000002", "a/2"), Pair("00000001", "a/1")));
  ReferencePolicy live_only;
  live_only.kept = false;
  EXPECT_THAT(references(live_only), ElementsAre(Pair("", "a/2")));
  EXPECT_THAT(named_paths(live_only), ElementsAre(Pair("", "a/2")));
  EXPECT_THAT(named_paths(),
              UnorderedElementsAre(Pair("", "a/2"), Pair("00000002", "a/1"),
                                   Pair("00000002", "a/2"), Pair("00000001", "a/1")));
  EXPECT_THAT(references({.one = "00000001"}), ElementsAre(Pair("00000001", "a/1")));
  EXPECT_THAT(named_paths({.one = "00000001"}), ElementsAre(Pair("00000001", "a/1")));
  expect_error(Errc::not_found, "no such generation", {.one = "00000003"});
  EXPECT_THAT(repository().kept_generations(), ElementsAre("00000001", "00000002"));
}

TEST_F(References, TellSizeDigestAndWhoNamesThem) {
  publish("repo", {{"1", {"a/1"}}});
  std::size_t seen = 0;
  sstream::for_each_reference(repository(), {}, [&](const Reference& reference) {
    ++seen;
    EXPECT_EQ(reference.size, 3U);
    EXPECT_EQ(reference.sha256, io::digest_hex(io::Algorithm::sha256, "a/1"));
    EXPECT_EQ(reference.item->pedigree().text(), "com.example:p:1/1/item0");
  });
  EXPECT_EQ(seen, 1U);
}

TEST_F(References, HaveOneSpelling) {
  publish("repo", {{"1", {"a/1", "a/2"}}});
  edit("\"a/1\"", "\"./a//1\"");
  edit("\"a/2\"", "\"b/../a/2\"");
  EXPECT_THAT(references(), ElementsAre(Pair("", "a/1"), Pair("", "a/2")));
  EXPECT_THAT(named_paths(), ElementsAre(Pair("", "a/1"), Pair("", "a/2")));
  for (const auto* out : {"", "/", "/a", "..", "../a", "a/../..", ".", "a/..", "./"}) {
    EXPECT_EQ(sstream::normal_path(out), std::nullopt) << out;
  }
  EXPECT_EQ(sstream::normal_path("a/.hidden"), "a/.hidden");
  EXPECT_EQ(sstream::normal_path("a/b/"), "a/b");
}

TEST_F(References, ThatLeadOutAreRefused) {
  for (const auto* out : {"../a/1", "/a/1", "a/../../1"}) {
    publish("repo", {{"1", {"a/1"}}});
    edit("\"a/1\"", base::cat("\"", out, "\""));
    expect_error(Errc::untrusted, "leads out");
    base::remove_tree(world.path("repo"));
  }
}

TEST_F(References, OfAStreamThatIsNotWholeAreAnError) {
  publish("repo", {{"1", {"a/1"}}});
  const auto index = world.path("repo/streams/v1/index.json");
  const auto good = base::read_file(index);
  base::replace_file(index, R"({"format": "index:1.0", "index": {}})");
  expect_error(Errc::refused, "names no stream");
  base::replace_file(index, good.substr(0, good.size() / 2));
  expect_error(Errc::untrusted, "index.json");
  base::unlink_at(AT_FDCWD, index);
  expect_error(Errc::not_found, "has no index");
  base::replace_file(index, good);
  const auto stream = base::read_file(stream_file());
  base::replace_file(stream_file(), stream.substr(0, stream.size() - 3));
  expect_error(Errc::untrusted, support::janitor_content);
  base::unlink_at(AT_FDCWD, stream_file());
  expect_error(Errc::not_found, "the index names it");
  base::remove_tree(world.path("repo/streams/v1"));
  expect_error(Errc::not_found, "there is no stream");
}

TEST_F(References, OfAnEmptyStreamAreRefusedUnlessAllowed) {
  publish("repo", {{"1", {"a/1"}}});
  publish("repo", {});
  ReferencePolicy policy;
  policy.kept = false;
  expect_error(Errc::refused, "names no file", policy);
  policy.allow_empty = true;
  EXPECT_THAT(references(policy), IsEmpty());
  EXPECT_THAT(named_paths(policy), IsEmpty());
}

TEST_F(References, MayBeThoseOfNamedDocumentsOnly) {
  publish("repo", {{"1", {"a/1"}}});
  sstream::publish(
      world.path("repo"),
      [&](const auto&) {
        sstream::Plan plan;
        plan.streams.push_back(tree_of({{"1", {"b/1"}}}, "com.example:other:download"));
        return plan;
      },
      options, world.context);
  ReferencePolicy policy;
  policy.kept = false;
  policy.documents = {"com.example:other:download.json"};
  EXPECT_THAT(references(policy), ElementsAre(Pair("", "b/1")));
  EXPECT_THAT(named_paths(policy), ElementsAre(Pair("", "b/1")));
  policy.documents = {"com.example:absent:download.json"};
  expect_error(Errc::not_found, "no such document", policy);
}

TEST_F(References, OfTheJanitorIncludeWhateverIsCalledAPath) {
  publish("repo", {{"1", {"a/1"}}});
  edit("\"ftype\": \"squashfs\"", R"("ftype": "squashfs", "deep": [{"path": "b/1"}])");
  EXPECT_THAT(named_paths(), ElementsAre(Pair("", "b/1"), Pair("", "a/1")));
}

class SignedReferences : public References {
 protected:
  void SetUp() override {
    options.sign = true;
    options.key = key;
    publish("repo", {{"1", {"a/1"}}});
    policy.verifier = &verifier;
  }

  std::string signed_file() const {
    return world.path(base::cat("repo/streams/v1/", support::janitor_content, ".sjson"));
  }

  support::GpgHome home;
  std::string key = home.make_key();
  io::Verifier verifier{io::Keyring::from_bytes(home.export_keys({key}), "test"), world.clock};
  ReferencePolicy policy;
};

TEST_F(SignedReferences, AreReadWhereTheSignaturesHold) {
  EXPECT_THAT(references(policy), ElementsAre(Pair("", "a/1")));
  EXPECT_THAT(named_paths(policy), ElementsAre(Pair("", "a/1")));
  base::unlink_at(AT_FDCWD, stream_file() + ".gpg");
  base::unlink_at(AT_FDCWD, world.path("repo/streams/v1/index.json.gpg"));
  EXPECT_THAT(references(policy), ElementsAre(Pair("", "a/1"))) << "the clear-signed forms do";
  base::unlink_at(AT_FDCWD, stream_file());
  base::unlink_at(AT_FDCWD, world.path("repo/streams/v1/index.json"));
  EXPECT_THAT(references(policy), ElementsAre(Pair("", "a/1"))) << "a tree of signed forms only";
}

TEST_F(SignedReferences, OfAnAlteredOrUnsignedDocumentAreRefused) {
  edit("a/1", "a/2");
  expect_error(Errc::untrusted, support::janitor_content, policy);
  edit("a/2", "a/1");
  base::unlink_at(AT_FDCWD, stream_file() + ".gpg");
  base::unlink_at(AT_FDCWD, signed_file());
  expect_error(Errc::untrusted, "is not signed", policy);
  EXPECT_THAT(references(), ElementsAre(Pair("", "a/1"))) << "nobody demanded a signature";
}

TEST_F(SignedReferences, OfAnotherKeyAreRefused) {
  const auto other = home.make_key({"Other <other@example.com>"});
  const io::Verifier stranger(io::Keyring::from_bytes(home.export_keys({other}), "test"),
                              world.clock);
  policy.verifier = &stranger;
  expect_error(Errc::untrusted, "index", policy);
}

TEST_F(SignedReferences, OfTheJanitorIncludeWhatOnlyTheSignedFormNames) {
  edit("a/1", "a/2");  // as the established tools leave a tree when signing fails half way
  EXPECT_THAT(named_paths(), ElementsAre(Pair("", "a/2"), Pair("", "a/1")));
}

}  // namespace
