#include "meph2/verify/verify.h"

#include <algorithm>
#include <array>
#include <future>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "meph2/verify/repair.h"
#include "meph2/verify/verify_url.h"

namespace meph2 {

namespace {

using sstream::Repository;

bool has_signatures(int directory) {
  const auto names = base::list_directory(directory);
  return std::any_of(names.begin(), names.end(), [](const auto& name) {
    return name.ends_with(".sjson") || name.ends_with(".json.gpg");
  });
}

/// The keyring that the signatures are judged by; nullopt: they are not looked at.
std::optional<io::Keyring> keyring_for(const VerifyOptions& options, const std::string& signer,
                                       bool is_signed, const base::Clock& clock) {
  const auto& trust = options.trust;
  if (trust.no_verify) {
    return std::nullopt;
  }
  if (!trust.keyring.empty()) {
    return io::Keyring::load(trust.keyring);
  }
  if (trust.require_signed || !signer.empty() || is_signed) {
    if (!signer.empty()) {
      try {
        return io::Keyring::of_user(signer, clock);
      } catch (const base::Error& error) {
        if (error.code() != base::Errc::not_found) {
          throw;
        }
      }
    }
    throw base::Error(
        base::Errc::usage,
        base::cat(options.target, ": signed",
                  signer.empty() ? std::string() : base::cat(" by ", signer),
                  ", and no key to check that by; name one with --keyring, or --no-verify"));
  }
  return std::nullopt;
}

void add_problems(std::vector<sstream::Problem>& from, VerifyResult& result) {
  for (auto& problem : from) {
    result.problems.push_back({std::move(problem), Remedy::none, {}});
  }
  from.clear();
}

/// What was found right is worth keeping, whatever ended the run.
void remember(const VerifyOptions& options, const sstream::VerifiedFiles& verified,
              const sstream::Context& context) {
  try {
    verified.save(Repository(options.target, sstream::Access::locks));
  } catch (const base::Error& error) {
    context.log.warning(
        base::cat("what was verified is not remembered for the next run: ", error.what()));
  }
}

void verify_files(const VerifyOptions& options, const Repository& repository,
                  const std::vector<sstream::DataFile>& files, sstream::VerifiedFiles verified,
                  VerifyResult& result, const sstream::Context& context) {
  try {
    result.data = sstream::verify_data(repository, files, options.data, verified, context);
  } catch (...) {
    if (options.data.read) {
      remember(options, verified, context);
    }
    throw;
  }
  if (options.data.read) {
    remember(options, verified, context);
  }
  add_problems(result.data.problems, result);
}

/// The metadata in `directory`, a copy of it where the stream is elsewhere.
std::vector<sstream::DataFile> verify_documents(const VerifyOptions& options, int directory,
                                                const std::string& signer, VerifyResult& result,
                                                const sstream::Context& context) {
  std::optional<sstream::DocumentVerifier> verifier;
  if (auto keyring = keyring_for(options, signer, has_signatures(directory), context.clock)) {
    verifier.emplace(std::move(*keyring), context.clock);
  }
  auto verdict = sstream::verify_metadata(directory, verifier ? &*verifier : nullptr, context);
  result.signatures_checked = verifier.has_value();
  result.documents = verdict.documents;
  result.untrusted = verdict.untrusted;
  result.files = verdict.files.size();
  result.bytes =
      std::accumulate(verdict.files.begin(), verdict.files.end(), std::uint64_t{0},
                      [](std::uint64_t sum, const auto& file) { return sum + file.expected.size; });
  add_problems(verdict.problems, result);
  return std::move(verdict.files);
}

void remedy(const VerifyOptions& options, const std::vector<sstream::DataFile>& files,
            VerifyResult& result, const sstream::Context& context) {
  if (result.untrusted) {
    context.log.error(
        "nothing is repaired: the metadata is not to be believed; meph2-util rollback brings an "
        "earlier generation back");
    return;
  }
  if (!options.repair_from.empty()) {
    repair_files(options, files, result.problems, context);
    repair_signatures(options, result, context);
  }
  if (options.drop_broken) {
    drop_broken(options, result, context);
  }
}

VerifyResult verify_directory(const VerifyOptions& options, const sstream::Context& context) {
  VerifyResult result;
  const Repository repository(options.target, sstream::Access::read);
  const auto directory = repository.open_live();
  if (!directory) {
    throw base::Error(base::Errc::not_found,
                      base::cat(repository.path(), ": no stream: streams/v1 is missing"));
  }
  // As long a list as the metadata: read beside it.
  auto verified = std::async(std::launch::async, [&] {
    return options.data.read ? sstream::VerifiedFiles::load(repository) : sstream::VerifiedFiles();
  });
  const auto files =
      verify_documents(options, directory.fd(), repository.read_state().signer, result, context);
  verify_files(options, repository, files, verified.get(), result, context);
  if ((!options.repair_from.empty() || options.drop_broken) && !result.clean()) {
    remedy(options, files, result, context);
  }
  return result;
}

VerifyResult verify_url(const VerifyOptions& options, const sstream::Context& context) {
  if (!options.repair_from.empty() || options.drop_broken) {
    throw base::Error(base::Errc::usage,
                      "--repair-from and --drop-broken change a directory, not a URL");
  }
  VerifyResult result;
  const auto copy = fetch_metadata(options.target, context);
  const auto directory = base::open_directory(copy.path());
  const auto files = verify_documents(options, directory.fd(), {}, result, context);
  result.data = options.data.read ? fetch_and_verify(options.target, files, options.data, context)
                                  : probe_files(options.target, files, options.data, context);
  add_problems(result.data.problems, result);
  return result;
}

}  // namespace

const char* name_of(Remedy remedy) {
  constexpr std::array names{"none", "repaired", "dropped"};
  return names[static_cast<std::size_t>(remedy)];
}

bool VerifyResult::clean() const {
  return std::all_of(problems.begin(), problems.end(),
                     [](const auto& found) { return found.remedy != Remedy::none; });
}

VerifyResult verify(const VerifyOptions& options, const sstream::Context& context) {
  return io::is_http_url(options.target) ? verify_url(options, context)
                                         : verify_directory(options, context);
}

}  // namespace meph2
