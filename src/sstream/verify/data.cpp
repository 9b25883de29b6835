#include <algorithm>
#include <array>
#include <mutex>
#include <span>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/parent_cache.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "sstream/verify/problem.h"

namespace sstream {

const char* name_of(ProblemKind kind) {
  constexpr std::array names{"metadata", "signature", "missing", "damaged", "unreachable"};
  return names[static_cast<std::size_t>(kind)];
}

namespace {

/// A file that has the right size: read it or not?
struct Candidate {
  const DataFile* file = nullptr;
  std::optional<base::Time> when;  ///< it was last found right
};

class DataReader {
 public:
  DataReader(const Repository& repository, const DataCheck& check, VerifiedFiles& verified,
             const Context& context)
      : repository_(repository), check_(check), verified_(verified), context_(context) {}

  DataVerdict run(const std::vector<DataFile>& files) {
    look_at(files);
    if (check_.read) {
      choose();
      read_all();
    }
    std::sort(verdict_.problems.begin(), verdict_.problems.end(),
              [](const auto& one, const auto& other) { return one.object < other.object; });
    return std::move(verdict_);
  }

 private:
  void add(ProblemKind kind, const std::string& path, std::string reason) {
    const std::scoped_lock lock(mutex_);
    verdict_.problems.push_back({kind, path, std::move(reason)});
  }

  /// In parts, side by side: many small questions to the file system.
  void look_at(const std::vector<DataFile>& files) {
    constexpr std::size_t part = 8192;
    std::vector<std::vector<Candidate>> found((files.size() + part - 1) / part);
    base::parallel_for(found.size(), base::core_count(), [&](std::size_t i) {
      const auto start = i * part;
      look_at(std::span(files).subspan(start, std::min(part, files.size() - start)), found[i]);
    });
    for (const auto& some : found) {
      candidates_.insert(candidates_.end(), some.begin(), some.end());
    }
  }

  void look_at(std::span<const DataFile> files, std::vector<Candidate>& found) {
    base::ParentCache parents;
    for (const auto& file : files) {
      base::check_stop(context_.stop);
      try {
        const auto place = repository_.place(file.path);
        const auto& parent = parents.of(place.dirfd, place.path);
        const auto status =
            parent ? base::status_of(parent.fd(), base::base_name(file.path)) : std::nullopt;
        if (!status) {
          add(ProblemKind::missing, file.path, "is missing");
        } else if (!S_ISREG(status->st_mode)) {
          add(ProblemKind::damaged, file.path, "is no regular file");
        } else if (const auto size = static_cast<std::uint64_t>(status->st_size);
                   size != file.expected.size) {
          add(ProblemKind::damaged, file.path,
              base::cat("has ", size, " bytes, must have ", file.expected.size));
        } else {
          found.push_back({&file, verified_.keep(*status, file.expected)});
        }
      } catch (const base::Error& error) {
        add(ProblemKind::damaged, file.path, error.what());
      }
    }
  }

  /// Without a budget: what was touched since it was last found right. With one: as much as it
  /// allows of what has longest not been read, touched or not, so that in the end all is read
  /// again.
  void choose() {
    const auto all = candidates_.size();
    if (!check_.budget) {
      if (!check_.paranoid) {
        std::erase_if(candidates_, [](const Candidate& one) { return one.when.has_value(); });
      }
      verdict_.untouched = all - candidates_.size();
      return;
    }
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](const auto& one, const auto& other) { return one.when < other.when; });
    std::uint64_t bytes = 0;
    std::size_t count = 0;
    while (count < all && (count == 0 || bytes < *check_.budget)) {
      bytes += candidates_[count++].file->expected.size;
    }
    candidates_.resize(count);
    verdict_.left = all - count;
  }

  void read_all() {
    std::uint64_t bytes = 0;
    for (const auto& candidate : candidates_) {
      bytes += candidate.file->expected.size;
    }
    context_.progress.expect(bytes, 0);
    base::parallel_for(candidates_.size(), check_.jobs,
                       [&](std::size_t i) { read(*candidates_[i].file); });
  }

  void read(const DataFile& wanted) {
    base::check_stop(context_.stop);
    try {
      const auto place = repository_.place(wanted.path);
      auto file = base::open_beneath(place.dirfd, place.path, O_RDONLY);
      const auto before = file.status();
      ChecksumVerifier verifier(wanted.expected);
      hash(file, verifier);
      verifier.verify(wanted.path);
      const std::scoped_lock lock(mutex_);
      verified_.add(before, wanted.expected, context_.clock.now());
      ++verdict_.read;
      verdict_.bytes_read += wanted.expected.size;
    } catch (const base::Error& error) {
      add(ProblemKind::damaged, wanted.path, error.reason());
    }
  }

  void hash(base::File& file, ChecksumVerifier& verifier) {
    constexpr std::size_t chunk = 256U << 10U;
    thread_local std::string buffer(chunk, '\0');
    while (const auto got = file.read(buffer)) {
      base::check_stop(context_.stop);
      verifier.update(std::string_view(buffer).substr(0, got));
      context_.progress.add_bytes(got);
    }
  }

  const Repository& repository_;
  const DataCheck& check_;
  VerifiedFiles& verified_;
  const Context& context_;
  std::vector<Candidate> candidates_;
  std::mutex mutex_;
  DataVerdict verdict_;
};

}  // namespace

DataVerdict verify_data(const Repository& repository, const std::vector<DataFile>& files,
                        const DataCheck& check, VerifiedFiles& verified, const Context& context) {
  return DataReader(repository, check, verified, context).run(files);
}

}  // namespace sstream
