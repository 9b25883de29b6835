#include "meph2/image/source.h"

#include "base/error.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "io/image/squashfs.h"
#include "io/tar/archive.h"
#include "meph2/image/recipe.h"
#include "meph2/image/root/detect.h"
#include "meph2/image/root/root_squashfs.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

constexpr std::uint64_t largest_os_release = 1U << 20U;
/// An image in an image in an image is no image.
constexpr int most_wrappings = 3;

/// Follows one source through its wrappings.
class Opener {
 public:
  Opener(const BuildOptions& options, std::string conf, Site& site)
      : options_(options), conf_(std::move(conf)), site_(site) {}

  RootSource open() {
    auto path = local_path();
    auto file = base::open_file(path, O_RDONLY);
    auto content = detect(file, options_.source);
    if (!format_admits(options_.format, content)) {
      throw Error(Errc::untrusted,
                  base::cat("read ", options_.source, ": --format=", options_.format,
                            " was said, but it is ", content_name(content)));
    }
    Known digest;
    if (site_.stages.keeps() || !options_.report.empty()) {
      std::uint64_t size = 0;
      digest = io::digest_file(io::Algorithm::sha256, file, &size, site_.context.stop);
      site_.record.set_source(*digest, size);
    }
    if (content == Content::squashfs) {
      check_squashfs(path);
      return {.squashfs = path, .untouched = !fetched_, .kept = false, .identity = digest};
    }
    const auto inputs = source_stage(options_, conf_, digest);
    const auto outcome = site_.record.run(site_.stages, inputs, "source", made(), {}, [&](int log) {
      log_ = log;
      to_squashfs(path, std::move(file), content);
      return io::Json::object();
    });
    const bool kept = outcome.digest.has_value();
    return {.squashfs = outcome.path + "/squashfs",
            .untouched = false,
            .kept = kept,
            .identity = kept ? Known(stage_name(inputs)) : std::nullopt};
  }

 private:
  /// The directory of what this stage makes.
  std::string made() const { return site_.workplace.stage() + "/made-source"; }

  void to_squashfs(std::string path, base::File file, Content content) {
    for (int i = 0; i <= most_wrappings; ++i) {
      site_.context.log.debug(base::cat(path, ": ", content_name(content)));
      if (content == Content::squashfs) {
        check_squashfs(path);
        base::rename_at(AT_FDCWD, path, AT_FDCWD, made() + "/squashfs");
        return;
      }
      if (content == Content::root_tar) {
        squash_root_tar(file, path);
        return;
      }
      if (content == Content::file_system || content == Content::disk) {
        squash_image(path, file, content);
        return;
      }
      path = unwrap(file, content);
      file = base::open_file(path, O_RDONLY);
      content = detect(file, path);
    }
    throw Error(Errc::untrusted, base::cat("read ", options_.source, ": wrapped too often"));
  }

  std::string local_path() {
    if (io::is_http_url(options_.source)) {
      fetched_ = true;
      return fetch();
    }
    const std::string scheme = "file://";
    const auto path = options_.source.starts_with(scheme) ? options_.source.substr(scheme.size())
                                                          : options_.source;
    return base::real_path(base::open_file(path, O_RDONLY).fd());
  }

  /// Whoever has a size and a digest for it fetches it before, and names the file.
  std::string fetch() {
    auto path = site_.workplace.stage() + "/source";
    auto file = base::open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    io::Request request;
    request.url = options_.source;
    request.max_bytes = site_.workplace.free_bytes();
    request.save_to = &file;
    if (!site_.context.http.get(request, site_.context.stop)) {
      throw Error(Errc::not_found,
                  base::cat("fetch ", options_.source, ": the server has no such file"));
    }
    file.close();
    return path;
  }

  static void check_squashfs(const std::string& path) {
    auto file = base::open_file(path, O_RDONLY);
    io::Squashfs(file).check_names();
  }

  std::string compression(const OsRelease& os) const {
    return options_.compression.empty() ? read_needs(conf_, os).compression : options_.compression;
  }

  SquashOptions squash_options(const OsRelease& os) const {
    SquashOptions options;
    options.compression = compression(os);
    options.jobs = site_.jobs;
    options.max_bytes = site_.workplace.free_bytes();
    options.log = log_;
    return options;
  }

  void squash_root_tar(base::File& tar, const std::string& path) {
    OsRelease os;
    if (options_.compression.empty()) {
      const auto text = io::read_from_tar(tar, {"usr/lib/os-release", "etc/os-release"},
                                          largest_os_release, site_.context.stop);
      os = parse_os_release(text.value_or(""));
    }
    const auto output = made() + "/squashfs";
    site_.context.log.info(base::cat("making a squashfs of ", path));
    squash_tar(tar, output, squash_options(os), site_.context.log, site_.context.stop);
    check_squashfs(output);
  }

  /// Takes one wrapping off: the result is a raw file in the stage directory.
  std::string unwrap(base::File& file, Content content) {
    auto output = base::cat(site_.workplace.stage(), "/unwrapped-", ++wrappings_);
    if (content == Content::qcow2) {
      qcow2_to_raw(file, output, site_.context.stop, log_);
      return output;
    }
    auto out = base::open_file(output, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (content == Content::image_tar) {
      io::extract_disk_image(file, out, site_.workplace.free_bytes(), site_.context.stop);
    } else {
      io::decompress(file, out, site_.workplace.free_bytes(), site_.context.stop);
    }
    return output;
  }

  void squash_image(const std::string& path, base::File& file, Content content) {
    Layers layers;
    layers.base_file = path;
    layers.base_type = "ext4";
    if (content == Content::disk) {
      const auto part =
          find_root_partition(partition_table(path, site_.context.stop), file, options_.arch);
      layers.base_offset = part.offset;
      layers.base_size = part.size;
    }
    // The release is known only once it is mounted: a first pass with the default would be wrong,
    // so the stage is told the choice for each release it may find.
    const auto output = made() + "/squashfs";
    const StageJob job{.input = SquashInput{.output = output,
                                            .jobs = site_.jobs,
                                            .compression = options_.compression,
                                            .conf = conf_},
                       .label = "squashfs",
                       .layers = layers,
                       .verbose = options_.verbose > 1,
                       .most_time = options_.stage_timeout};
    site_.run(job, log_);
    check_squashfs(output);
  }

  const BuildOptions& options_;
  std::string conf_;
  Site& site_;
  bool fetched_ = false;
  int log_ = -1;  ///< of the stage
  int wrappings_ = 0;
};

}  // namespace

RootSource open_source(const BuildOptions& options, const std::string& conf, Site& site) {
  return Opener(options, conf, site).open();
}

OsRelease os_release_of(const std::string& squashfs) {
  auto file = base::open_file(squashfs, O_RDONLY);
  const io::Squashfs reader(file);
  auto text = reader.read("etc/os-release", largest_os_release);
  if (!text) {
    text = reader.read("usr/lib/os-release", largest_os_release);
  }
  return parse_os_release(text.value_or(""));
}

}  // namespace meph2::image
