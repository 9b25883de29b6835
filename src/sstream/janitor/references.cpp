#include "sstream/janitor/references.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include <sys/mman.h>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "sstream/format/index.h"
#include "sstream/format/item_stream.h"
#include "sstream/format/summary.h"
#include "sstream/repository/generation.h"
#include "sstream/repository/signing.h"

namespace sstream {

namespace {

constexpr std::uint64_t document_limit = 1ULL << 30U;
constexpr std::string_view data_streams = "streams/v1/";

/// The metadata of one generation, and where its documents are.
struct Metadata {
  base::File directory;
  std::string name;        ///< for messages
  std::string generation;  ///< empty: live
};

[[noreturn]] void fail(base::Errc code, const std::string& where, std::string_view reason) {
  throw base::Error(code, base::cat(where, ": ", reason));
}

Metadata open_live(const Repository& repository) {
  const auto name = base::cat(repository.path(), "/streams/v1");
  if (repository.streams() < 0 || !base::exists_at(repository.streams(), "v1")) {
    fail(base::Errc::not_found, name, "there is no stream");
  }
  return {base::open_file_at(repository.streams(), "v1", O_RDONLY | O_DIRECTORY), name, {}};
}

base::File open_generations(const Repository& repository) {
  if (repository.private_dir() < 0 || !base::exists_at(repository.private_dir(), "generations")) {
    return {};
  }
  return base::open_file_at(repository.private_dir(), "generations",
                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Metadata open_kept(const Repository& repository, const std::string& generation) {
  const auto generations = open_generations(repository);
  const auto name = base::cat(repository.path(), "/.data/.sstream/generations/", generation);
  if (!generations || !base::exists_at(generations.fd(), generation)) {
    fail(base::Errc::not_found, name, "there is no such generation");
  }
  return {base::open_beneath(generations.fd(), generation, O_RDONLY | O_DIRECTORY), name,
          generation};
}

/// "X" for every X.json and X.sjson.
std::set<std::string> stems_in(int directory) {
  std::set<std::string> stems;
  for (const auto& name : base::list_directory(directory)) {
    for (const std::string_view suffix : {".json", ".sjson"}) {
      if (!name.starts_with(".") && name.ends_with(suffix)) {
        stems.insert(name.substr(0, name.size() - suffix.size()));
      }
    }
  }
  return stems;
}

base::File open_document(const Metadata& metadata, const std::string& name) {
  auto file = base::open_beneath(metadata.directory.fd(), name, O_RDONLY);
  file.set_name(base::cat(metadata.name, "/", name));
  return file;
}

base::File in_memory(const std::string& text, const std::string& name) {
  base::File file(base::UniqueFd(::memfd_create("document", MFD_CLOEXEC)), name);
  if (!file) {
    base::throw_errno(errno, "copy into memory", name);
  }
  std::string_view rest(text);
  while (!rest.empty()) {
    const auto count = ::write(file.fd(), rest.data(), rest.size());
    if (count < 0) {
      base::throw_errno(errno, "copy into memory", name);
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return file;
}

/// What a message says, where nobody asked for its signature to be verified. One without is taken
/// as it is, as the established tools do with --no-sign.
std::string without_verifying(std::string message, const std::string& name) {
  if (!message.starts_with("-----BEGIN PGP SIGNED MESSAGE-----")) {
    return message;
  }
  auto text = unverified_text(message);
  if (!text) {
    fail(base::Errc::untrusted, name, "not a whole clear-signed message");
  }
  return *std::move(text);
}

/// Runs `read(file)`; a file that somebody changes meanwhile (the established tools write in place)
/// was not read at all.
void read_stable(base::File& file, const std::function<void(base::File&)>& read) {
  const auto before = file.status();
  file.seek(0);
  read(file);
  const auto after = file.status();
  if (before.st_size != after.st_size || before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
      before.st_mtim.tv_nsec != after.st_mtim.tv_nsec) {
    fail(base::Errc::untrusted, file.name(), "changed while it was read; try again");
  }
}

bool same_text(const std::string& text, base::File& json) {
  json.seek(0);
  auto body = base::read_all(json, document_limit);
  std::string_view one(text);
  std::string_view other(body);
  const auto end = [](std::string_view all) {
    const auto at = all.find_last_not_of(" \t\r\n");
    return at == std::string_view::npos ? 0 : at + 1;
  };
  return one.substr(0, end(one)) == other.substr(0, end(other));
}

/// What of the two forms of a document has to be read: X.json, and X.sjson where it differs. With a
/// verifier each form that is read was verified.
std::vector<base::File> forms_of(const Metadata& metadata, const std::string& stem,
                                 const io::Verifier* verifier) {
  std::vector<base::File> forms;
  const int directory = metadata.directory.fd();
  bool verified = false;
  if (base::exists_at(directory, stem + ".json")) {
    forms.push_back(open_document(metadata, stem + ".json"));
    if (verifier != nullptr && base::exists_at(directory, stem + ".json.gpg")) {
      auto signature = open_document(metadata, stem + ".json.gpg");
      verifier->verify_detached(base::read_all(forms[0], document_limit),
                                base::read_all(signature, document_limit), forms[0].name());
      verified = true;
    }
  }
  const bool plain_index = stem == "index" && !forms.empty() && verifier == nullptr;
  if (!plain_index && base::exists_at(directory, stem + ".sjson")) {
    auto message = open_document(metadata, stem + ".sjson");
    auto text = base::read_all(message, document_limit);
    text = verifier != nullptr ? verifier->verify_clearsigned(text, message.name()).text
                               : without_verifying(std::move(text), message.name());
    const bool same = !forms.empty() && same_text(text, forms[0]);
    if (stem == "index" && !verified) {
      forms.clear();  // the two forms of an index differ: entries are .json here and .sjson there
    }
    if (!same && (forms.empty() || stem != "index")) {
      forms.push_back(in_memory(text, message.name()));
    }
    verified = verified || same || forms.size() == 1;
  }
  if (verifier != nullptr && !verified) {
    fail(base::Errc::untrusted, base::cat(metadata.name, "/", stem, ".json"),
         "is not signed, and a keyring is demanded");
  }
  return forms;
}

/// Every document of a directory of metadata that the policy asks for, one form at a time.
void for_each_document(
    const Metadata& metadata, const ReferencePolicy& policy,
    const std::function<void(base::File& file, const std::string& stem)>& visit) {
  const bool live = metadata.generation.empty();
  auto stems = stems_in(metadata.directory.fd());
  if (live && !policy.documents.empty()) {
    std::set<std::string> wanted;
    for (const auto& name : policy.documents) {
      const auto stem = name.substr(0, name.rfind('.'));
      if (!stems.contains(stem)) {
        fail(base::Errc::not_found, base::cat(metadata.name, "/", name),
             "there is no such document");
      }
      wanted.insert(stem);
    }
    stems = std::move(wanted);
  }
  for (const auto& stem : stems) {
    for (auto& file : forms_of(metadata, stem, live ? policy.verifier : nullptr)) {
      read_stable(file, [&](base::File& stable) { visit(stable, stem); });
    }
  }
}

/// An index has to be there, name something, and name nothing that is missing.
void require_index(const Metadata& metadata, const ReferencePolicy& policy) {
  const int directory = metadata.directory.fd();
  if (!base::exists_at(directory, "index.json") && !base::exists_at(directory, "index.sjson")) {
    fail(base::Errc::not_found, metadata.name, "has no index");
  }
  for (auto& file : forms_of(metadata, "index", policy.verifier)) {
    file.seek(0);
    const StreamIndex index(io::read_json(file), file.name());
    if (index.entries().empty() && !policy.allow_empty) {
      fail(base::Errc::refused, file.name(), "names no stream at all");
    }
    for (const auto& entry : index.entries()) {
      if (entry.path.empty()) {
        continue;
      }
      if (!entry.path.starts_with(data_streams)) {
        fail(base::Errc::untrusted, file.name(),
             base::cat("names ", entry.path, ", which is not below streams/v1"));
      }
      if (!base::exists_at(directory, entry.path.substr(data_streams.size()))) {
        fail(base::Errc::not_found, base::cat(metadata.name, "/", base::base_name(entry.path)),
             "the index names it, but it is not there");
      }
    }
  }
}

void require_some(const Metadata& metadata, const ReferencePolicy& policy, std::size_t seen) {
  if (seen == 0 && metadata.generation.empty() && !policy.allow_empty) {
    fail(base::Errc::refused, metadata.name, "names no file at all");
  }
}

std::string required_path(std::string_view text, const std::string& name) {
  auto path = normal_path(text);
  if (!path) {
    fail(base::Errc::untrusted, name,
         base::cat("names '", text.substr(0, 200), "', which leads out of the stream"));
  }
  return std::move(*path);
}

std::optional<std::uint64_t> size_of(const Item& item) {
  const auto text = item.tag("size");
  return text ? base::parse_decimal(*text) : std::nullopt;
}

std::size_t visit_document(base::File& file, const Metadata& metadata,
                           const std::function<void(const Reference&)>& visit) {
  const auto summary = summarise(file);
  if (summary.format != "products:1.0") {
    return 0;
  }
  std::size_t seen = 0;
  visit_items(file, [&](const Item& item) {
    if (const auto text = item.tag("path")) {
      const auto path = required_path(*text, file.name());
      const auto sha256 = item.tag("sha256").value_or("");
      visit({path, size_of(item), sha256, metadata.generation, &item});
      ++seen;
    }
  });
  return seen;
}

void visit_generation(const Metadata& metadata, const ReferencePolicy& policy,
                      const std::function<void(const Reference&)>& visit) {
  std::size_t seen = 0;
  for_each_document(metadata, policy, [&](base::File& file, const std::string&) {
    seen += visit_document(file, metadata, visit);
  });
  require_some(metadata, policy, seen);
}

/// Hands out every string under a key `path`.
class PathScanner : public io::JsonEvents {
 public:
  explicit PathScanner(const std::function<void(const std::string&)>& visit) : visit_(&visit) {}

  void start_object() override { ++depth_; }

  void end_object() override { --depth_; }

  void start_array() override { ++depth_; }

  void end_array() override { --depth_; }

  void key(std::string& name) override {
    is_path_ = name == "path";
    is_format_ = depth_ == 1 && name == "format";
  }

  void scalar(io::Json&& value) override {
    if (is_path_ && value.is_string()) {
      (*visit_)(value.get_ref<const std::string&>());
    } else if (is_format_ && value.is_string()) {
      format_ = value.get_ref<const std::string&>();
    }
  }

  const std::string& format() const { return format_; }

 private:
  const std::function<void(const std::string&)>* visit_;
  std::size_t depth_ = 0;
  bool is_path_ = false;
  bool is_format_ = false;
  std::string format_;
};

/// Scans the generations of one repository, newest first.
class NamedPaths {
 public:
  using Visit = std::function<void(std::string_view path, std::string_view generation)>;

  NamedPaths(const ReferencePolicy& policy, const Visit& visit, bool several)
      : policy_(&policy), visit_(&visit), several_(several) {}

  void scan(const Metadata& metadata) {
    std::size_t seen = 0;
    for_each_document(metadata, *policy_, [&](base::File& file, const std::string&) {
      if (several_) {
        if (!known_.insert(io::digest_file(io::Algorithm::sha256, file)).second) {
          return;
        }
        file.seek(0);
      }
      seen += scan_document(file, metadata);
    });
    require_some(metadata, *policy_, seen);
  }

 private:
  std::size_t scan_document(base::File& file, const Metadata& metadata) {
    std::size_t seen = 0;
    std::string leads_out;
    const std::function<void(const std::string&)> take = [&](const std::string& text) {
      if (const auto path = normal_path(text)) {
        if (!path->starts_with(data_streams)) {
          ++seen;
        }
        (*visit_)(*path, metadata.generation);
      } else if (!text.empty()) {
        leads_out = text;
      }
    };
    PathScanner scanner(take);
    io::visit_json(file, scanner);
    if (!leads_out.empty() && scanner.format() == "products:1.0") {
      required_path(leads_out, file.name());
    }
    return seen;
  }

  const ReferencePolicy* policy_;
  const Visit* visit_;
  bool several_;
  std::set<std::string> known_;
};

}  // namespace

std::optional<std::string> normal_path(std::string_view path) {
  if (path.empty() || path.front() == '/') {
    return std::nullopt;
  }
  if (path.find("//") == std::string_view::npos && path.find("/.") == std::string_view::npos &&
      path.front() != '.' && path.back() != '/') {
    return std::string(path);  // nearly all of them
  }
  std::vector<std::string> parts;
  for (auto& part : base::split(path, '/')) {
    if (part.empty() || part == ".") {
      continue;
    }
    if (part != "..") {
      parts.push_back(std::move(part));
    } else if (parts.empty()) {
      return std::nullopt;
    } else {
      parts.pop_back();
    }
  }
  if (parts.empty()) {
    return std::nullopt;
  }
  return base::join(parts, "/");
}

void for_each_reference_of(const Repository& repository, const std::string& generation,
                           const std::function<void(const Reference& reference)>& visit) {
  visit_generation(open_kept(repository, generation), {}, visit);
}

void for_each_reference(const Repository& repository, const ReferencePolicy& policy,
                        const std::function<void(const Reference& reference)>& visit) {
  if (policy.live) {
    const auto live = open_live(repository);
    if (policy.documents.empty()) {
      require_index(live, policy);
    }
    visit_generation(live, policy, visit);
  }
  if (policy.kept) {
    auto names = kept_generations(repository);
    std::reverse(names.begin(), names.end());
    for (const auto& name : names) {
      for_each_reference_of(repository, name, visit);
    }
  }
}

void for_each_named_path(
    const Repository& repository, const ReferencePolicy& policy,
    const std::function<void(std::string_view path, std::string_view generation)>& visit) {
  auto names = policy.kept ? kept_generations(repository) : std::vector<std::string>{};
  NamedPaths paths(policy, visit, !names.empty());
  if (policy.live) {
    const auto live = open_live(repository);
    if (policy.documents.empty()) {
      require_index(live, policy);
    }
    paths.scan(live);
  }
  std::reverse(names.begin(), names.end());
  for (const auto& name : names) {
    paths.scan(open_kept(repository, name));
  }
}

void for_each_named_path_of(const Repository& repository, const std::string& generation,
                            const std::function<void(std::string_view path)>& visit) {
  const NamedPaths::Visit take = [&](std::string_view path, std::string_view) { visit(path); };
  const ReferencePolicy policy;
  NamedPaths(policy, take, false).scan(open_kept(repository, generation));
}

base::Time replaced_at(const Repository& repository, const std::string& generation) {
  const auto names = kept_generations(repository);
  const auto next = std::upper_bound(names.begin(), names.end(), generation);
  const auto successor = next == names.end() ? open_live(repository) : open_kept(repository, *next);
  if (!base::exists_at(successor.directory.fd(), "index.json")) {
    return base::Time(std::chrono::seconds(successor.directory.status().st_mtim.tv_sec));
  }
  auto file = open_document(successor, "index.json");
  const auto index = io::read_json(file);
  const auto stamp = index.is_object() ? index.value("updated", io::Json()) : io::Json();
  const auto time =
      stamp.is_string() ? base::parse_stamp(stamp.get_ref<const std::string&>()) : std::nullopt;
  return time.value_or(base::Time(std::chrono::seconds(file.status().st_mtim.tv_sec)));
}

}  // namespace sstream
