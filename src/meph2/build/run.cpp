#include "meph2/build/run.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/process/subprocess.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "io/http/http.h"
#include "sstream/format/condense.h"
#include "sstream/format/graft.h"

namespace meph2 {

namespace {

/// In the builder's space; no output begins with a dot.
const std::string report_name = ".report.json";

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).string();
}

sstream::Checksums digest_output(int space, const std::string& path) {
  auto file = base::find_beneath(space, path, O_RDONLY);
  if (!file) {
    throw base::Error(base::Errc::failed, base::cat("the builder did not make ", path));
  }
  if (!S_ISREG(file.status().st_mode)) {
    throw base::Error(base::Errc::failed,
                      base::cat("the builder made ", path, ", but not as a regular file"));
  }
  sstream::Checksums sums;
  sums.sha256 = io::digest_file(io::Algorithm::sha256, file, &sums.size);
  if (sums.size == 0) {
    throw base::Error(base::Errc::failed, base::cat("the builder made ", path, " empty"));
  }
  return sums;
}

BuiltFiles digest_outputs(const BuildPlan& plan, const std::string& space) {
  const auto directory = base::open_directory(space);
  std::vector<sstream::Checksums> sums(plan.paths.size());
  base::parallel_for(plan.paths.size(), std::min(4U, base::core_count()), [&](std::size_t i) {
    sums[i] = digest_output(directory.fd(), plan.paths[i]);
  });
  BuiltFiles files;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    files[plan.paths[i]] = sums[i];
  }
  return files;
}

/// true when every tag of the built item is effective in the live one as well.
bool same_item(const sstream::Item& built, const sstream::Item& live, const io::Json& product) {
  const auto same = [&](const std::string& key) { return built.tag(key) == live.tag(key); };
  const auto all_same = [&](const io::Json& node) {
    return std::all_of(node.items().begin(), node.items().end(), [&](const auto& entry) {
      return !sstream::scalar_text(entry.value()) || same(entry.key());
    });
  };
  return all_same(built.node()) && all_same(product);
}

bool same_version(const sstream::ProductTree& built, const sstream::ProductTree& target,
                  const std::string& product, const std::string& version) {
  const auto* there = target.version(product, version);
  const auto& wanted = *built.version(product, version);
  if (there == nullptr ||
      there->value("items", io::Json::object()).size() != wanted.at("items").size()) {
    return false;
  }
  bool same = true;
  built.for_each_item_of(product, version, [&](const sstream::Item& item) {
    const auto other = target.view(item.pedigree());
    same = same && other && same_item(item, *other, *built.product(product));
  });
  return same;
}

}  // namespace

std::string builder_program() {
  const char* variable = std::getenv("MAAS_CLOUDIMG2EPH2");
  const std::string name =
      variable == nullptr || *variable == '\0' ? "maas-cloudimg2eph2" : variable;
  if (const auto found = base::find_program(name)) {
    return absolute(*found);
  }
  std::error_code ignored;
  const auto beside = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& candidate :
       {beside / name, beside.parent_path().parent_path().parent_path() / "bin" / name}) {
    if (base::find_program(candidate.string())) {
      return candidate.string();
    }
  }
  throw base::Error(
      base::Errc::not_found,
      base::cat("run ", name, ": no such program; MAAS_CLOUDIMG2EPH2 names the builder"));
}

std::string stages_of(const std::string& repository) {
  return base::cat(absolute(repository), "/.data/.sstream/stages");
}

std::string logs_of(const std::string& repository, const std::string& release,
                    const std::string& arch, const std::string& version) {
  const auto name = base::cat(release, "-", arch, "-", version);
  return (std::filesystem::absolute(repository) / "logs" / name).lexically_normal().string();
}

namespace {

/// Of an image that is complete: what the builder itself did not remove, and an earlier one's.
void forget_logs(const std::string& logs, const base::Log& log) {
  try {
    base::remove_tree(logs);
    base::remove_directory_at(AT_FDCWD, logs.substr(0, logs.rfind('/')));
  } catch (const base::Error& error) {
    log.warning(base::cat("logs are left: ", error.what()));
  }
}

}  // namespace

BuiltImage run_builder(const BuildPlan& plan, const BuilderOptions& options,
                       const std::string& source, const std::string& space,
                       const sstream::Context& context) {
  base::Command command;
  // Outputs are named relative to the builder's directory: a comma in the path of the repository
  // would otherwise end a part of --krd-pack.
  const auto input = io::is_http_url(source) ? source : absolute(source);
  command.argv = builder_command(plan, builder_program(), options.verbosity, input, ".");
  command.directory = space;
  command.output_fd = STDERR_FILENO;
  if (options.jobs > 0) {
    command.env["M2E_JOBS"] = std::to_string(options.jobs);
  }
  if (!options.stages.empty()) {
    command.env["M2E_STAGES"] = options.stages;
  }
  if (!options.resume) {
    command.env["M2E_NO_RESUME"] = "1";
  }
  if (options.unprivileged) {
    command.env["M2E_UNPRIVILEGED"] = "1";
  }
  if (!options.squashfs_compression.empty()) {
    command.env["M2E_SQUASHFS_COMPRESSION"] = options.squashfs_compression;
  }
  if (!options.root_image_size.empty()) {
    command.env["M2E_ROOT_IMAGE_SIZE"] = options.root_image_size;
  }
  if (!options.logs.empty()) {
    command.env["M2E_LOGS"] = options.logs;
  }
  command.env["M2E_REPORT"] = base::cat(absolute(space), "/", report_name);
  context.log.debug(base::cat("running: ", base::shell_quote(command.argv)));
  try {
    base::run_checked(command, context.stop);
    BuiltImage image{digest_outputs(plan, space),
                     read_build_report(space, report_name, context.log)};
    if (!options.logs.empty()) {
      forget_logs(options.logs, context.log);
    }
    return image;
  } catch (base::Error& error) {
    if (!options.logs.empty() && base::exists_at(AT_FDCWD, options.logs)) {
      error.set_state(base::cat("logs are in ", options.logs));
    }
    throw;
  } catch (base::Stopped& stop) {
    if (!options.logs.empty() && base::exists_at(AT_FDCWD, options.logs)) {
      stop.set_state(base::cat("logs are in ", options.logs));
    }
    throw;
  }
}

std::optional<BuiltFiles> published_files(const std::string& repository,
                                          const sstream::Generation& live,
                                          const std::string& content_id, const BuildPlan& plan) {
  const auto tree = live.read_tree(content_id);
  if (!tree) {
    return std::nullopt;
  }
  BuiltFiles files;
  for (const auto& product : plan.products) {
    for (const auto& [name, item] : product.items) {
      const sstream::Pedigree id{product.name, plan.version_name, name};
      const auto* node = tree->item(id);
      if (node == nullptr || node->value("path", io::Json()) != item.at("path")) {
        return std::nullopt;
      }
      files[item.at("path").get<std::string>()] =
          sstream::Checksums::of({id, tree->json(), *tree->product(product.name),
                                  *tree->version(product.name, plan.version_name), *node});
    }
  }
  const sstream::Repository data(repository, sstream::Access::read);
  for (const auto& [path, sums] : files) {
    const auto place = data.place(path);

    struct stat status {};

    if (!base::status_at(place.dirfd, place.path, status) || !S_ISREG(status.st_mode) ||
        static_cast<std::uint64_t>(status.st_size) != sums.size) {
      return std::nullopt;
    }
  }
  return files;
}

sstream::ProductTree tree_of(const BuildPlan& plan, const std::string& content_id,
                             const BuiltFiles& files) {
  auto tree = sstream::ProductTree::make(content_id, "image-downloads");
  for (const auto& product : plan.products) {
    tree.set({product.name, {}, {}}, product.tags);
    for (const auto& [name, item] : product.items) {
      auto node = item;
      if (const auto found = files.find(item.at("path").get<std::string>()); found != files.end()) {
        node["sha256"] = found->second.sha256;
        node["size"] = found->second.size;
      } else if (!node.contains("sha256")) {
        node["sha256"] = io::digest_hex(io::Algorithm::sha256, item.at("path").get<std::string>());
        node["size"] = 1;
      }
      tree.set({product.name, plan.version_name, name}, std::move(node));
    }
  }
  return tree;
}

std::vector<std::string> add_version(const sstream::ProductTree& built,
                                     const std::string& version_name,
                                     sstream::ProductTree& target) {
  std::vector<std::string> changed;
  for (const auto& [product, node] : built.products().items()) {
    if (!same_version(built, target, product, version_name)) {
      sstream::graft_version(built, product, version_name, target,
                             [](const sstream::Item&) { return true; });
      changed.push_back(product);
    }
  }
  return changed;
}

void settle(sstream::ProductTree& tree) {
  tree.prune();
  sstream::ready_to_publish(tree);
}

std::vector<sstream::NewFile> files_below(const std::string& space, const BuiltFiles& files) {
  std::vector<sstream::NewFile> list;
  for (const auto& [path, sums] : files) {
    sstream::NewFile file;
    file.path = path;
    file.expected = sums;
    file.origin = base::cat(space, "/", path);
    file.may_link = true;
    list.push_back(std::move(file));
  }
  return list;
}

}  // namespace meph2
