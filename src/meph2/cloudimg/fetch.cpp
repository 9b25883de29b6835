#include "meph2/cloudimg/fetch.h"

#include <cerrno>
#include <map>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"

namespace meph2 {

namespace {

constexpr auto keep_for = std::chrono::days(7);
constexpr std::uint64_t space_reserve = 64ULL << 20U;

std::string cache_directory(const std::string& cache, const CloudImage& image) {
  return base::cat(cache, "/", image.sums.strongest().second);
}

void verify_local(const std::string& path, const CloudImage& image, const std::stop_token& stop) {
  auto file = base::open_file(path, O_RDONLY | O_NONBLOCK);
  if (!S_ISREG(file.status().st_mode)) {
    throw base::Error(base::Errc::untrusted, base::cat(path, ": not a regular file"));
  }
  sstream::verify_file(file, image.sums, stop);
}

/// Downloads into the cache.
class Downloads {
 public:
  Downloads(sstream::ContentSource& source, const std::string& cache,
            const sstream::Context& context)
      : source_(source), cache_(cache), context_(context) {}

  /// `slot` is where the result goes; several images may be one file.
  void add(const CloudImage& image, FetchedImage& slot) {
    auto& download = downloads_[image.sums.strongest().second];
    download.image = &image;
    download.slots.push_back(&slot);
  }

  void run() {
    make_space();
    std::vector<Download*> wanted;
    std::vector<io::FileRequest> requests;
    for (auto& [digest, download] : downloads_) {
      try {
        if (!take_from_cache(download)) {
          requests.push_back(request(download));
          wanted.push_back(&download);
        }
      } catch (const base::Error&) {
        download.finish(std::current_exception());
      }
    }
    if (requests.empty()) {
      return;
    }
    context_.http.fetch(
        requests, context_.progress,
        [&](std::size_t i, const std::exception_ptr& error) { complete(*wanted[i], error); },
        context_.stop);
  }

 private:
  struct Download {
    const CloudImage* image = nullptr;
    std::vector<FetchedImage*> slots;
    std::string file;  ///< its final name in the cache
    base::File part;

    void finish(const std::exception_ptr& error) {
      for (auto* slot : slots) {
        slot->file = error ? "" : file;
        slot->error = error;
      }
    }
  };

  /// Early and clear, rather than in the middle of the third image.
  void make_space() const {
    std::uint64_t needed = 0;
    for (const auto& [digest, download] : downloads_) {
      needed += download.image->sums.size;
    }
    const auto directory = base::open_directory(cache_);
    const auto free = base::free_bytes(directory.fd());
    if (needed > 0 && free < needed + space_reserve) {
      base::Error error(base::Errc::failed,
                        base::cat("download to ", cache_, ": No space left on device (need ",
                                  base::human_bytes(needed + space_reserve), ", free ",
                                  base::human_bytes(free), ")"));
      error.set_errno(ENOSPC);
      throw error;
    }
  }

  /// An earlier run may have fetched it all, and then failed to build it.
  bool take_from_cache(Download& download) const {
    const auto directory = cache_directory(cache_, *download.image);
    base::make_directories(directory);
    download.file = base::cat(directory, "/", base::base_name(download.image->path));
    if (!base::exists_at(AT_FDCWD, download.file)) {
      return false;
    }
    try {
      verify_local(download.file, *download.image, context_.stop);
    } catch (const base::Error&) {
      base::unlink_at(AT_FDCWD, download.file);
      return false;
    }
    context_.log.info(base::cat(download.image->name(), ": in the cache"));
    download.finish(nullptr);
    return true;
  }

  io::FileRequest request(Download& download) const {
    download.part = base::open_file(download.file + ".part", O_RDWR | O_CREAT | O_NOFOLLOW);
    io::FileRequest request;
    request.url = source_.locate(download.image->path);
    request.size = download.image->sums.size;
    std::tie(request.algorithm, request.digest) = download.image->sums.strongest();
    request.into = &download.part;
    context_.log.info(
        base::cat("downloading ", request.url, " (", base::human_bytes(request.size), ")"));
    return request;
  }

  void complete(Download& download, std::exception_ptr error) const {
    try {
      if (error) {
        std::rethrow_exception(error);
      }
      // All digests, not only the strongest.
      sstream::verify_file(download.part, download.image->sums, context_.stop);
      download.part.sync();
      download.part.close();
      base::rename_at(AT_FDCWD, download.file + ".part", AT_FDCWD, download.file);
      error = nullptr;
    } catch (const base::Error&) {
      error = std::current_exception();
    }
    download.finish(error);
  }

  sstream::ContentSource& source_;
  const std::string& cache_;
  const sstream::Context& context_;
  std::map<std::string, Download> downloads_;
};

}  // namespace

std::vector<FetchedImage> fetch_images(sstream::ContentSource& source,
                                       const std::vector<CloudImage>& images,
                                       const std::string& cache, const sstream::Context& context) {
  std::vector<FetchedImage> fetched(images.size());
  if (!source.is_local()) {
    Downloads downloads(source, cache, context);
    for (std::size_t i = 0; i < images.size(); ++i) {
      downloads.add(images[i], fetched[i]);
    }
    downloads.run();
    return fetched;
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    base::check_stop(context.stop);
    try {
      fetched[i].file = source.locate(images[i].path);
      verify_local(fetched[i].file, images[i], context.stop);
    } catch (const base::Error&) {
      fetched[i].error = std::current_exception();
    }
  }
  return fetched;
}

void forget_image(const std::string& cache, const CloudImage& image) {
  base::remove_tree(cache_directory(cache, image));
}

void clean_cache(const std::string& cache, const base::Clock& clock) {
  if (!base::exists_at(AT_FDCWD, cache)) {
    return;
  }
  const auto limit = (clock.now() - keep_for).time_since_epoch().count();
  for (const auto& name : base::list_directory(cache)) {
    const auto path = base::cat(cache, "/", name);

    const auto status = base::status_of(AT_FDCWD, path);
    if (status && S_ISDIR(status->st_mode) && status->st_mtime < limit) {
      base::remove_tree(path);
    }
  }
}

}  // namespace meph2
