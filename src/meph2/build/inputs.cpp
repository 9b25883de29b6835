#include "meph2/build/inputs.h"

#include <algorithm>

#include "base/error.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"
#include "io/http/http.h"
#include "meph2/image/steps/kihelper.h"
#include "meph2/image/steps/needs.h"
#include "sstream/publish/swap.h"

namespace meph2 {

namespace {

using io::Json;

constexpr std::uint64_t largest_inrelease = 16ULL << 20U;

/// Empty for a file that cannot be read: whoever needs it will say so.
std::string fingerprint_at(const std::string& path) {
  try {
    auto file = base::open_file(path, O_RDONLY);
    return io::fingerprint_file(file);
  } catch (const base::Error&) {
    return {};
  }
}

std::string kihelper_fingerprint(const std::string& name) {
  try {
    return name.empty() ? std::string() : fingerprint_at(image::find_kihelper(name));
  } catch (const base::Error&) {
    return {};
  }
}

/// The value that the builder gets: ours, else what it inherits.
std::string given_or_inherited(const std::string& given, const char* name) {
  return given.empty() ? environment(name) : given;
}

void set(Json& object, const char* key, const std::string& value) {
  if (!value.empty()) {
    object[key] = value;
  }
}

}  // namespace

Json build_settings(const BuildPlan& plan, const PlannedProduct& product,
                    const BuilderOptions& builder) {
  Json kernel{{"package", product.row.kpackage}};
  set(kernel, "dtb", product.row.dtb);
  set(kernel, "kihelper", product.row.kihelper);
  set(kernel, "kihelper_program", kihelper_fingerprint(product.row.kihelper));
  Json settings{{"arch", plan.arch},
                {"builtin_kernel", plan.builtin_kernel},
                {"kernel", std::move(kernel)},
                {"release", plan.release},
                {"root_image", plan.want_root_image},
                {"squashfs", plan.want_squashfs}};
  set(settings, "flags", base::join(plan.flags, " "));
  set(settings, "compression",
      given_or_inherited(builder.squashfs_compression, "M2E_SQUASHFS_COMPRESSION"));
  set(settings, "root_image_size",
      given_or_inherited(builder.root_image_size, "M2E_ROOT_IMAGE_SIZE"));
  set(settings, "release_needs", fingerprint_at(image::default_needs_path()));
  set(settings, "add_packages", environment("M2E_ADD_PACKAGES"));
  set(settings, "add_repositories", environment("M2E_ADD_REPOS"));
  set(settings, "source_date_epoch", environment("SOURCE_DATE_EPOCH"));
  return settings;
}

std::string archive_name(const UsedArchive& archive) {
  return base::cat("archive ", base::redact_urls(archive.url), " ", archive.suite);
}

CurrentInputs::CurrentInputs(const BuildPlan& plan, BuilderOptions builder, std::string source,
                             std::optional<sstream::Checksums> known,
                             const sstream::Context& context)
    : plan_(plan),
      builder_(std::move(builder)),
      source_(std::move(source)),
      sums_(std::move(known)),
      context_(context) {}

const std::optional<sstream::Checksums>& CurrentInputs::source() {
  if (!sums_ && !io::is_http_url(source_)) {
    auto file = base::open_file(source_, O_RDONLY);
    sums_.emplace();
    sums_->sha256 = io::digest_file(io::Algorithm::sha256, file, &sums_->size, context_.stop);
  }
  return sums_;
}

/// A builder that does not know the option is asked in vain, and never known.
CurrentInputs::Found CurrentInputs::ask_builder(const std::stop_token& stop) {
  base::Command command;
  command.argv = {builder_program(), "--version"};
  command.capture_output = true;
  command.capture_error = true;
  const auto outcome = base::run(command, stop);
  const auto line = std::string(base::trim(base::split(outcome.output, '\n').front()));
  return outcome.status == 0 && !line.empty() ? Found{line, ""} : Found{"", "it does not say"};
}

const CurrentInputs::Found& CurrentInputs::builder_text() {
  if (!builder_text_) {
    builder_text_ = Found{"", program().reason};
    if (!program().value.empty()) {
      builder_text_ = ask_builder(context_.stop);
    }
  }
  return *builder_text_;
}

const CurrentInputs::Found& CurrentInputs::program() {
  if (!program_) {
    try {
      program_ = Found{fingerprint_at(builder_program()), "it cannot be read"};
    } catch (const base::Error& error) {  // a build will fail of it; a comparison need not
      program_ = Found{"", error.what()};
    }
  }
  return *program_;
}

const CurrentInputs::Found& CurrentInputs::archive(const UsedArchive& archive) {
  const auto name = archive_name(archive);
  const auto found = archives_.find(name);
  if (found != archives_.end()) {
    return found->second;
  }
  Found now;
  try {
    io::Request request;
    request.url =
        base::cat(archive.url, "dists/", base::percent_encode_path(archive.suite), "/InRelease");
    request.max_bytes = largest_inrelease;
    if (const auto document = context_.http.get(request, context_.stop)) {
      now.value = io::digest_hex(io::Algorithm::sha256, document->body);
    } else {
      now.reason = base::cat(base::redact_urls(request.url), " is not there");
    }
  } catch (const base::Error& error) {
    now.reason = base::redact_urls(error.what());
  }
  return archives_[name] = std::move(now);
}

InputsNow CurrentInputs::instead_of(const BuildInputs& recorded, const PlannedProduct& product) {
  InputsNow now;
  now.inputs = recorded;
  now.inputs.settings = settings(product);
  now.inputs.origin = base::redact_urls(source_);
  if (const auto& sums = source()) {
    now.inputs.source_sha256 = sums->sha256;
    now.inputs.source_size = sums->size;
  } else {
    now.inputs.source_sha256.clear();
    now.inputs.source_size = 0;
    now.unknown["source"] = "until it is fetched";
  }
  now.inputs.builder = builder_text().value;
  now.inputs.program = program().value;
  if (now.inputs.builder.empty()) {
    now.unknown["builder"] = builder_text().reason;
  }
  for (auto& used : now.inputs.archives) {
    const auto& found = archive(used);
    used.sha256 = found.value;
    if (found.value.empty()) {
      now.unknown[archive_name(used)] = found.reason;
    }
  }
  return now;
}

std::map<std::string, BuildInputs> CurrentInputs::before_build() {
  std::map<std::string, BuildInputs> by_product;
  for (const auto& product : plan_.products) {
    auto& inputs = by_product[product.name];
    inputs.origin = base::redact_urls(source_);
    inputs.settings = settings(product);
    inputs.program = program().value;
  }
  return by_product;
}

void record_builds(const std::string& repository, const std::vector<RecordedVersion>& versions,
                   std::chrono::seconds lock_timeout, const sstream::Context& context) {
  if (std::ranges::all_of(versions, [](const auto& each) { return each.by_product.empty(); })) {
    return;
  }
  try {
    const sstream::Repository opened(repository, sstream::Access::locks);
    const auto lock = opened.lock_commit(lock_timeout, context);
    if (opened.streams() >= 0) {
      sstream::recover(opened);  // what a run that died left is cleared away before anything else
    }
    auto records = BuildOrigins::load(opened, context.log);
    for (const auto& each : versions) {
      for (const auto& [product, inputs] : each.by_product) {
        records.set(product, each.version, inputs);
      }
    }
    records.keep_live(sstream::Generation::load(opened));
    records.save(opened);
  } catch (const base::Error& error) {
    context.log.warning(base::cat("record what was built from what: ", error.what(),
                                  "; the versions are published"));
  }
}

}  // namespace meph2
