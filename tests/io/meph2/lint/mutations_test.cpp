#include "tests/io/meph2/lint/mutations.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "meph2/lint/lint.h"
#include "meph2/lint/rules.h"
#include "tests/support/publication_world.h"

namespace lint_test {

namespace {

using meph2::Profiles;
using sstream::lint::Result;
namespace profile = meph2::profile;

StreamModel good(Base base) {
  return base == Base::maas         ? maas_stream()
         : base == Base::containers ? container_stream()
                                    : juju_stream();
}

Profiles profiles_of(Base base) {
  return base == Base::maas         ? profile::maas | profile::maas_classic | profile::simplestreams
         : base == Base::containers ? profile::lxd | profile::incus | profile::simplestreams
                                    : profile::juju | profile::simplestreams;
}

const sstream::lint::Rule& rule_of(const std::string& id) {
  for (const auto& rule : meph2::lint_rules()) {
    if (rule.id == id) {
      return rule;
    }
  }
  throw std::out_of_range("no rule " + id);
}

/// Writes a stream and looks at it with the eyes of each consumer in turn.
class Lint {
 public:
  explicit Lint(const StreamModel& model) { model.write(world_.path("s")); }

  Result run(Profiles profiles) {
    meph2::LintOptions options;
    options.where = world_.path("s");
    options.grace = std::chrono::seconds(0);
    options.data = true;
    for (const auto& one : meph2::profile_names()) {
      if ((one.bit & profiles) != 0) {
        options.profiles.push_back(one.name);
      }
    }
    world_.clock.set(base::SystemClock().now() + std::chrono::hours(1));
    return meph2::lint(options, world_.context);
  }

 private:
  support::World world_;
};

std::set<std::string> rules_in(const Result& result) {
  std::set<std::string> found;
  for (const auto& finding : result.report.findings()) {
    found.emplace(finding.rule->id);
  }
  return found;
}

std::vector<Mutation> all_mutations() {
  std::vector<Mutation> all;
  for (const auto& part :
       {document_mutations(), maas_mutations(), container_mutations(), juju_mutations()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

void row(const std::string& mutation, const std::string& rule, const std::string& profile,
         bool found) {
  std::cout << "| " << mutation << " | " << rule << " | " << profile << " | "
            << (found ? "found" : "NOT FOUND") << " |\n";
}

class GoodStream : public testing::TestWithParam<Base> {};

TEST_P(GoodStream, IsCleanInItsProfiles) {
  Lint lint(good(GetParam()));
  for (const auto& one : meph2::profile_names()) {
    if ((one.bit & profiles_of(GetParam())) != 0) {
      const auto result = lint.run(one.bit);
      for (const auto& finding : result.report.findings()) {
        ADD_FAILURE() << one.name << ": " << finding.rule->id << " " << finding.file << " "
                      << finding.pointer << " " << finding.message;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoodStream, testing::Values(Base::maas, Base::containers, Base::juju),
                         [](const auto& test) {
                           return std::string(test.param == Base::maas         ? "Maas"
                                              : test.param == Base::containers ? "Containers"
                                                                               : "Juju");
                         });

class Mutated : public testing::TestWithParam<Mutation> {};

/// By its rule, in every profile that minds and in none that does not.
TEST_P(Mutated, IsFoundByItsRule) {
  const auto& mutation = GetParam();
  auto model = good(mutation.base);
  mutation.spoil(model);
  Lint lint(model);
  const auto& rule = rule_of(mutation.rule);
  EXPECT_NE(rule.weight.all() & profiles_of(mutation.base), 0U) << "the wrong base";
  for (const auto& one : meph2::profile_names()) {
    if ((one.bit & profiles_of(mutation.base)) == 0) {
      continue;
    }
    const bool minds = (rule.weight.all() & one.bit) != 0;
    const auto result = lint.run(one.bit);
    const bool found = rules_in(result).contains(mutation.rule);
    EXPECT_EQ(found, minds) << one.name << ": " << testing::PrintToString(rules_in(result));
    if (minds) {
      row(mutation.name, mutation.rule, one.name, found);
    }
    for (const auto& finding : result.report.findings()) {
      if (finding.rule == &rule) {
        EXPECT_EQ(finding.severity, rule.weight.severity(one.bit));
        EXPECT_FALSE(finding.file.empty());
        EXPECT_FALSE(finding.message.empty());
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Mutated, testing::ValuesIn(all_mutations()),
                         [](const auto& test) { return test.param.name; });

/// Rules that no mutation above can break: they need signatures, a server or a history.
const std::set<std::string> elsewhere = {
    "index-plain",       "index-signed", "armor-form",      "one-signer",    "signature-bad",
    "signature-missing", "keyring-form", "keyring-armored", "key-algorithm", "signed-text-differs",
    "path-reused",       "url-status",   "url-redirect",    "url-encoding",  "url-length",
    "url-caching",       "url-tls",      "url-port-80"};

TEST(LintRules, EachHasAMutation) {
  std::set<std::string> covered = elsewhere;
  for (const auto& mutation : all_mutations()) {
    covered.insert(mutation.rule);
  }
  for (const auto& rule : meph2::lint_rules()) {
    EXPECT_TRUE(covered.contains(std::string(rule.id))) << rule.id;
    EXPECT_NE(rule.weight.all(), 0U) << rule.id;
    EXPECT_FALSE(rule.looks.empty()) << rule.id;
    EXPECT_FALSE(rule.mend.empty()) << rule.id;
  }
}

/// One random thing at a random place of a MAAS stream.
struct Random {
  explicit Random(unsigned seed) : engine(seed) {}

  std::size_t below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine);
  }

  io::Json& member(io::Json& object) {
    return *std::next(object.begin(), std::ptrdiff_t(below(object.size())));
  }

  std::mt19937 engine;
};

/// Spoils something and says by which rules it may be found.
std::set<std::string> spoil(StreamModel& model, Random& random) {
  const char* file = std::array{ubuntu, centos, loaders}[random.below(3)];
  auto& product = random.member(model.file(file)["products"]);
  auto& version = random.member(product["versions"]);
  auto& item = random.member(version["items"]);
  const io::Json wrong = std::array<io::Json, 4>{7, true, 1.5, io::Json::array()}[random.below(4)];
  switch (random.below(12)) {
    case 0:
      item["sha256"] = wrong;
      return {"item-sha256-form"};
    case 1:
      item["path"] = wrong;
      return {"item-path-unsafe"};
    case 2:
      item["size"] = std::array<io::Json, 4>{"7", true, 1.5, io::Json::array()}[random.below(4)];
      return {"item-size-type"};
    case 3:
      item.erase(std::array{"sha256", "size"}[random.below(2)]);
      return {"item-sha256-missing", "item-size-missing"};
    case 4:
      item = wrong;
      return {"products-structure"};
    case 5:
      version = wrong;
      return {"products-structure"};
    case 6:
      product = wrong;
      return {"products-structure"};
    case 7:
      product[std::array{"arch", "label", "os"}[random.below(3)]] = wrong;
      return {"maas-product-strings"};
    case 8:
      product.erase(std::array{"arch", "label", "os"}[random.below(3)]);
      return {"product-arch", "product-label", "product-os"};
    case 9:
      model.entry(file)[std::array{"path", "updated", "format", "datatype"}[random.below(4)]] =
          wrong;
      return {"entry-structure"};
    case 10:
      model.files.erase(
          std::next(model.files.begin(), std::ptrdiff_t(random.below(model.files.size()))));
      return {"file-missing"};
    default:
      std::next(model.files.begin(), std::ptrdiff_t(random.below(model.files.size())))->second +=
          "x";
      return {"file-size"};
  }
}

class RandomMutation : public testing::TestWithParam<unsigned> {};

TEST_P(RandomMutation, IsFoundByItsRule) {
  auto model = maas_stream();
  Random random(GetParam());
  const auto wanted = spoil(model, random);
  const auto found = rules_in(Lint(model).run(profiles_of(Base::maas)));
  const bool any = std::any_of(wanted.begin(), wanted.end(),
                               [&](const auto& rule) { return found.contains(rule); });
  EXPECT_TRUE(any) << testing::PrintToString(wanted) << " not in " << testing::PrintToString(found);
  row("random " + std::to_string(GetParam()), *wanted.begin(), "maas", any);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomMutation, testing::Range(1U, 101U));

/// Any text in the place of any other, and pieces cut out: findings, never an exception.
class RandomBytes : public testing::TestWithParam<unsigned> {};

TEST_P(RandomBytes, AreNeverAnException) {
  auto model = GetParam() % 2 == 0 ? maas_stream() : container_stream();
  Random random(GetParam());
  auto& [name, json] =
      *std::next(model.documents.begin(), std::ptrdiff_t(random.below(model.documents.size())));
  auto text = io::to_text(json);
  for (int i = 0; i < 3; ++i) {
    const auto at = random.below(text.size());
    text.replace(at, random.below(20), std::string(random.below(3), char(random.below(256))));
  }
  model.raw[name] = text;
  EXPECT_NO_THROW(Lint(model).run(63));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomBytes, testing::Range(1U, 51U));

}  // namespace

}  // namespace lint_test
