#include "meph2/verify/verify_url.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "sstream/format/index.h"
#include "sstream/repository/signing.h"

namespace meph2 {

namespace {

constexpr std::uint64_t document_limit = 256ULL << 20U;

std::string with_slash(const std::string& url) {
  return url.ends_with("/") ? url : url + "/";
}

/// false where the server has no such document below `url`.
bool fetch(const std::string& url, const std::string& path, int directory,
           const sstream::Context& context) {
  const auto name = base::base_name(path);
  auto file = base::unnamed_file(name);
  io::Request request;
  request.url = url + base::percent_encode_path(path);
  request.max_bytes = document_limit;
  request.save_to = &file;
  if (!context.http.get(request, context.stop)) {
    return false;
  }
  file.seek(0);
  auto copy = base::open_file_at(directory, name, O_WRONLY | O_CREAT | O_EXCL);
  copy.write(base::read_all(file));
  copy.close();
  return true;
}

/// The document and both its signatures.
bool fetch_all(const std::string& url, const std::string& path, int directory,
               const sstream::Context& context) {
  bool any = false;
  for (const auto& file : {path, path + ".gpg", sstream::signed_name(path)}) {
    any = fetch(url, file, directory, context) || any;
  }
  return any;
}

sstream::ProblemKind kind_of(const base::Error& failure) {
  switch (failure.code()) {
    case base::Errc::not_found:
      return sstream::ProblemKind::missing;
    case base::Errc::untrusted:
      return sstream::ProblemKind::damaged;
    default:
      return sstream::ProblemKind::unreachable;
  }
}

std::optional<sstream::Problem> judge(const sstream::DataFile& wanted,
                                      const io::ResponseHead& answer) {
  using sstream::ProblemKind;
  constexpr long redirects = 300;
  constexpr long errors = 400;
  constexpr long not_found = 404;
  constexpr long gone = 410;
  if (answer.status >= errors) {
    const bool missing = answer.status == not_found || answer.status == gone;
    return sstream::Problem{missing ? ProblemKind::missing : ProblemKind::unreachable, wanted.path,
                            base::cat("HTTP ", answer.status)};
  }
  const bool tells = answer.status < redirects && answer.encoding.empty() && answer.length;
  if (tells && *answer.length != wanted.expected.size) {
    return sstream::Problem{ProblemKind::damaged, wanted.path,
                            base::cat("is ", *answer.length, " bytes, not ", wanted.expected.size)};
  }
  return std::nullopt;
}

}  // namespace

base::TempDir fetch_metadata(const std::string& url, const sstream::Context& context) {
  base::TempDir copy("meph2-verify-");
  const auto directory = base::open_directory(copy.path());
  const auto base = with_slash(url);
  if (!fetch_all(base, "streams/v1/index.json", directory.fd(), context)) {
    throw base::Error(base::Errc::not_found,
                      base::cat(base,
                                ": no stream: neither streams/v1/index.json nor "
                                "index.sjson is there"));
  }
  if (!base::exists_at(directory.fd(), "index.json")) {
    return copy;
  }
  auto file = base::open_beneath(directory.fd(), "index.json", O_RDONLY);
  try {
    for (const auto& entry : sstream::StreamIndex(io::read_json(file), "index.json").entries()) {
      const auto name = base::base_name(entry.path);
      if (entry.path.ends_with(".json") && !base::exists_at(directory.fd(), name)) {
        fetch_all(base, entry.path, directory.fd(), context);
      }
    }
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::untrusted) {
      throw;
    }
    context.log.debug(error.what());  // the index is judged where the copy is
  }
  return copy;
}

sstream::DataVerdict probe_files(const std::string& url,
                                 const std::vector<sstream::DataFile>& files,
                                 const sstream::DataCheck& check, const sstream::Context& context) {
  const auto base = with_slash(url);
  std::vector<std::optional<sstream::Problem>> found(files.size());
  base::parallel_for(files.size(), check.jobs, [&](std::size_t i) {
    base::check_stop(context.stop);
    try {
      const auto at = base + base::percent_encode_path(files[i].path);
      found[i] = judge(files[i], context.http.probe(at, context.stop));
    } catch (const base::Error& failure) {
      found[i] = {sstream::ProblemKind::unreachable, files[i].path, failure.what()};
    }
  });
  sstream::DataVerdict verdict;
  for (auto& problem : found) {
    if (problem) {
      verdict.problems.push_back(std::move(*problem));
    }
  }
  return verdict;
}

sstream::DataVerdict fetch_and_verify(const std::string& url,
                                      const std::vector<sstream::DataFile>& files,
                                      const sstream::DataCheck& check,
                                      const sstream::Context& context) {
  using sstream::ProblemKind;
  const auto base = with_slash(url);
  sstream::DataVerdict verdict;
  std::size_t start = 0;
  // A batch is on disk, without names, while it is read.
  while (start < files.size() && (!check.budget || verdict.bytes_read < *check.budget)) {
    const auto count = std::min<std::size_t>(std::max(1U, check.jobs), files.size() - start);
    std::vector<base::File> bodies(count);
    std::vector<io::FileRequest> requests(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto& wanted = files[start + i];
      bodies[i] = base::unnamed_file(wanted.path);
      requests[i].url = base + base::percent_encode_path(wanted.path);
      requests[i].size = wanted.expected.size;
      std::tie(requests[i].algorithm, requests[i].digest) = wanted.expected.strongest();
      requests[i].into = &bodies[i];
    }
    context.http.fetch(
        requests, context.progress,
        [&](std::size_t i, const std::exception_ptr& error) {
          const auto& wanted = files[start + i];
          try {
            if (error) {
              std::rethrow_exception(error);
            }
            sstream::verify_file(bodies[i], wanted.expected, context.stop);
            ++verdict.read;
            verdict.bytes_read += wanted.expected.size;
          } catch (const base::Error& failure) {
            verdict.problems.push_back({kind_of(failure), wanted.path, failure.what()});
          }
        },
        context.stop);
    start += count;
  }
  verdict.left = files.size() - start;
  return verdict;
}

}  // namespace meph2
