#include "meph2/image/site.h"

#include <unistd.h>

#include "base/error.h"
#include "base/fs/tree.h"
#include "base/strings.h"

namespace meph2::image {

io::Json Site::run(StageJob job, int log) const {
  job.log = log;
  return run_stage(job, workplace.scratch(), context.stop);
}

Known Site::make_layer(const StageInputs& inputs, const StageJob& job) {
  const auto place = base::cat(workplace.scratch(), "/", job.layers.upper);
  const auto outcome = record.run(stages, inputs, job.label, place, {"upper"},
                                  [&](int log) { return run(job, log); });
  if (outcome.path != place) {
    base::remove_tree(place);
    // The names of an overlay's layers are relative, and parted by colons: a link spares us both.
    if (::symlink(outcome.path.c_str(), place.c_str()) != 0) {
      base::throw_errno(errno, "make symlink", place);
    }
  }
  return outcome.digest;
}

std::string Site::readable_by_image(const std::string& path) const {
  auto file = base::open_file(path, O_RDONLY);
  if ((file.status().st_mode & S_IROTH) != 0) {
    return path;
  }
  const std::string name = "readable-source";
  base::clone_file(file, base::open_directory(workplace.stage()).fd(), name, false, context.stop);
  auto copy = base::cat(workplace.stage(), "/", name);
  base::open_file(copy, O_RDONLY).chmod(0644);
  return copy;
}

void Site::publish_copy(base::File from, const std::string& path, bool may_link) {
  const auto name = base::cat("out-", copies++);
  base::clone_file(from, base::open_directory(workplace.stage()).fd(), name, may_link,
                   context.stop);
  outputs.add(base::cat(workplace.stage(), "/", name), path);
}

}  // namespace meph2::image
