#include "sstream/janitor/documents.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include <sys/mman.h>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "sstream/format/index.h"
#include "sstream/format/shape.h"
#include "sstream/repository/signing.h"

namespace sstream {

namespace {

constexpr std::uint64_t document_limit = 1ULL << 30U;

[[noreturn]] void fail(base::Errc code, const std::string& where, std::string_view reason) {
  throw base::Error(code, base::cat(where, ": ", reason));
}

Metadata open_metadata(const Repository& repository, const std::string& generation) {
  const bool live = generation.empty();
  auto directory = live ? repository.open_live() : repository.open_kept(generation);
  if (!directory) {
    fail(base::Errc::not_found, directory.name(),
         live ? "there is no stream" : "there is no such generation");
  }
  return {std::move(directory), generation};
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
  file.set_name(base::cat(metadata.directory.name(), "/", name));
  return file;
}

base::File in_memory(const std::string& text, const std::string& name) {
  base::File file(base::UniqueFd(::memfd_create("document", MFD_CLOEXEC)), name);
  if (!file) {
    base::throw_errno(errno, "copy into memory", name);
  }
  file.write(text);
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
    fail(base::Errc::untrusted, base::cat(metadata.directory.name(), "/", stem, ".json"),
         "is not signed, and a keyring is demanded");
  }
  return forms;
}

/// An index has to be there, name something, and name nothing that is missing.
void require_index(const Metadata& metadata, const ReferencePolicy& policy) {
  const int directory = metadata.directory.fd();
  if (!base::exists_at(directory, "index.json") && !base::exists_at(directory, "index.sjson")) {
    fail(base::Errc::not_found, metadata.directory.name(), "has no index");
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
        fail(base::Errc::not_found,
             base::cat(metadata.directory.name(), "/", base::base_name(entry.path)),
             "the index names it, but it is not there");
      }
    }
  }
}

}  // namespace

std::vector<std::string> generations_of(const Repository& repository,
                                        const ReferencePolicy& policy) {
  if (!policy.one.empty()) {
    return {policy.one};
  }
  auto names = policy.kept ? repository.kept_generations() : std::vector<std::string>{};
  names.emplace_back();
  std::reverse(names.begin(), names.end());
  return names;
}

Metadata open_generation(const Repository& repository, const std::string& generation,
                         const ReferencePolicy& policy) {
  auto metadata = open_metadata(repository, generation);
  if (generation.empty() && policy.documents.empty()) {
    require_index(metadata, policy);
  }
  return metadata;
}

void for_each_document(const Metadata& metadata, const ReferencePolicy& policy,
                       const std::function<void(base::File& file)>& visit) {
  const bool live = metadata.generation.empty();
  auto stems = stems_in(metadata.directory.fd());
  if (live && !policy.documents.empty()) {
    std::set<std::string> wanted;
    for (const auto& name : policy.documents) {
      const auto stem = name.substr(0, name.rfind('.'));
      if (!stems.contains(stem)) {
        fail(base::Errc::not_found, base::cat(metadata.directory.name(), "/", name),
             "there is no such document");
      }
      wanted.insert(stem);
    }
    stems = std::move(wanted);
  }
  for (const auto& stem : stems) {
    for (auto& file : forms_of(metadata, stem, live ? policy.verifier : nullptr)) {
      read_stable(file, visit);
    }
  }
}

void require_some(const Metadata& metadata, const ReferencePolicy& policy, std::size_t seen) {
  if (seen == 0 && metadata.generation.empty() && !policy.allow_empty) {
    fail(base::Errc::refused, metadata.directory.name(), "names no file at all");
  }
}

base::Time replaced_at(const Repository& repository, const std::string& generation) {
  const auto names = repository.kept_generations();
  const auto next = std::upper_bound(names.begin(), names.end(), generation);
  const auto successor = open_metadata(repository, next == names.end() ? std::string() : *next);
  if (!base::exists_at(successor.directory.fd(), "index.json")) {
    return base::Time(std::chrono::seconds(successor.directory.status().st_mtim.tv_sec));
  }
  auto file = open_document(successor, "index.json");
  const auto time = base::parse_stamp(string_or_empty(io::read_json(file), "updated"));
  return time.value_or(base::Time(std::chrono::seconds(file.status().st_mtim.tv_sec)));
}

}  // namespace sstream
