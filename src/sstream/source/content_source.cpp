#include "sstream/source/content_source.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/temp_dir.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "sstream/format/item_stream.h"
#include "sstream/format/summary.h"
#include "sstream/format/version_reader.h"
#include "sstream/repository/signing.h"

namespace sstream {

namespace {

constexpr std::uint64_t index_limit = 16ULL << 20U;
constexpr std::uint64_t products_limit = 256ULL << 20U;

}  // namespace

std::pair<std::string, std::string> split_location(const std::string& where) {
  const auto at = where.find("streams/v1/");
  if (at != std::string::npos && (at == 0 || where[at - 1] == '/') &&
      (where.ends_with(".json") || where.ends_with(".sjson"))) {
    const auto base = where.substr(0, at);
    return {base.empty() ? "./" : base, where.substr(at)};
  }
  return {where.ends_with("/") ? where : where + "/", ""};
}

ContentSource::ContentSource(std::string base, const Context& context, SourceMemory* memory,
                             std::vector<std::string> mirrors)
    : transport_(std::move(base), context, memory, std::move(mirrors)),
      context_(context),
      memory_(memory) {}

ContentSource::ContentSource(ContentSource&&) noexcept = default;
ContentSource::~ContentSource() = default;

void ContentSource::choose_trust(const TrustOptions& trust, bool signed_path) {
  if (trust.no_verify) {
    return;
  }
  const bool have_default =
      !trust.default_keyring.empty() && base::exists_at(AT_FDCWD, trust.default_keyring);
  // A local directory is the operator's own; what comes over the network, or is asked for in its
  // signed form, is verified wherever we know by which keys.
  const bool use_default = trust.require_signed || (have_default && (!is_local() || signed_path));
  if (!trust.keyring.empty() || use_default) {
    const auto& keyring = trust.keyring.empty() ? trust.default_keyring : trust.keyring;
    if (keyring.empty()) {
      throw base::Error(base::Errc::usage, base::cat(base(), ": --require-signed needs --keyring"));
    }
    verifier_ = std::make_unique<io::Verifier>(io::Keyring::load(keyring), context_.clock);
    return;
  }
  if (!is_local()) {
    context_.log.warning(base::cat(base(), ": not verified: no keyring was given"));
  }
}

void ContentSource::open_memory(const TrustOptions& trust) {
  if (memory_ != nullptr) {
    ReplayRules rules;
    rules.enforced = !is_local() || verified();
    rules.allow_rollback = trust.allow_rollback;
    rules.max_age = trust.max_age;
    memory_->open(is_local() ? base::real_path(base::open_directory(base()).fd()) + "/" : base(),
                  rules, context_.log);
    require_still_signed(trust);
  }
}

/// A source that was verified is not taken unverified without a word.
void ContentSource::require_still_signed(const TrustOptions& trust) const {
  const auto signer = memory_->signer();
  if (!signer || verified()) {
    return;
  }
  if (!trust.no_verify) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(base(), ": was verified before, signed by ", *signer,
                                ", and now no keyring is given; --keyring FILE, or --no-verify"));
  }
  context_.log.warning(
      base::cat(base(), ": not verified this time; before it was signed by ", *signer));
}

std::optional<std::string> ContentSource::fetch(const std::string& path, std::uint64_t limit) {
  auto file = transport_.fetch(path, limit);
  return file ? std::optional(base::read_all(*file, limit)) : std::nullopt;
}

base::File ContentSource::text(const std::string& path) {
  auto text = fetch_document(path, products_limit);
  if (!text) {
    throw base::Error(base::Errc::not_found, base::cat("read ", locate(path), ": is not there"));
  }
  return std::move(text->file);
}

std::optional<base::File> ContentSource::raw(const std::string& path) {
  return transport_.fetch(path, products_limit);
}

/// A document's verified text; nullopt when it does not exist. What had to be verified, or cut out
/// of a message, is a copy: the verifier's own.
std::optional<ContentSource::Text> ContentSource::fetch_document(const std::string& path,
                                                                 std::uint64_t limit) {
  const bool clear_signed = path.ends_with(".sjson");
  if (verifier_ == nullptr && !clear_signed) {
    auto file = transport_.fetch(path, limit);
    return file ? std::optional(Text{std::move(*file), {}}) : std::nullopt;
  }
  auto body = fetch(path, limit);
  if (!body) {
    return std::nullopt;
  }
  const auto name = locate(path);
  std::string signer;
  if (verifier_ == nullptr) {
    if (auto text = unverified_text(*body)) {
      body = std::move(text);
    }
  } else if (clear_signed) {
    auto verified = verifier_->verify_clearsigned(*body, name);
    body = std::move(verified.text);
    signer = verified.signature.primary_fingerprint;
  } else {
    const auto signature = fetch(path + ".gpg", index_limit);
    if (!signature) {
      throw base::Error(base::Errc::untrusted,
                        base::cat(name, ": not signed (no ", base::base_name(path),
                                  ".gpg), and a keyring is demanded"));
    }
    signer = verifier_->verify_detached(*body, *signature, name).primary_fingerprint;
  }
  auto copy = base::unnamed_file(name);
  copy.write(*body);
  copy.seek(0);
  return Text{std::move(copy), std::move(signer)};
}

/// Remembers what was read, or refuses it.
void ContentSource::judge(const std::string& path, Text& text, const StreamSummary& summary,
                          bool first) {
  if (memory_ != nullptr && memory_->is_of_use()) {
    memory_->judge(path,
                   {{},
                    summary.updated,
                    io::digest_file(io::Algorithm::sha256, text.file),
                    text.signer,
                    summary.content_id},
                   first, context_.clock.now(), context_.log);
  }
}

ContentSource::Text ContentSource::first_document(const std::string& path) {
  std::vector<std::string> candidates = {path};
  if (path.empty()) {
    candidates = {"streams/v1/index.sjson", "streams/v1/index.json"};
    // Where only the second was there, and neither is verified, it is asked for first.
    if (memory_ != nullptr && !verified() && memory_->has_original(candidates[1]) &&
        !memory_->has_original(candidates[0])) {
      std::swap(candidates[0], candidates[1]);
    }
  }
  for (const auto& candidate : candidates) {
    const bool may_be_products = !path.empty();
    if (auto text = fetch_document(candidate, may_be_products ? products_limit : index_limit)) {
      first_path_ = candidate;
      return std::move(*text);
    }
  }
  throw base::Error(base::Errc::not_found,
                    base::cat("open source ", base(), ": no ", base::join(candidates, " and no ")));
}

ContentSource ContentSource::open(const std::string& where, const TrustOptions& trust,
                                  const Context& context, SourceMemory* memory) {
  auto [base, path] = split_location(where);

  // Anything else that names an existing file is read as a document too; its data lies beside it.
  if (path.empty() && !io::is_http_url(where) && base::is_file_at(AT_FDCWD, where)) {
    const auto slash = where.rfind('/');
    base = slash == std::string::npos ? "./" : where.substr(0, slash + 1);
    path = base::base_name(where);
  }
  ContentSource source(std::move(base), context, memory);
  source.start(path, trust);
  return source;
}

ContentSource ContentSource::open_at(const std::string& base, const std::string& path,
                                     const TrustOptions& trust, const Context& context,
                                     SourceMemory* memory, std::vector<std::string> mirrors) {
  ContentSource source(base.ends_with("/") ? base : base + "/", context, memory,
                       std::move(mirrors));
  source.start(path, trust);
  return source;
}

/// Reads and verifies the first document, which says what else there is.
void ContentSource::start(const std::string& path, const TrustOptions& trust) {
  choose_trust(trust, path.ends_with(".sjson"));
  open_memory(trust);
  auto text = first_document(path);
  auto& file = text.file;
  const auto summary = summarise(file);
  judge(first_path_, text, summary, true);
  if (summary.format == "products:1.0") {
    IndexEntry entry;
    entry.content_id = summary.content_id;
    entry.path = path;
    entry.format = summary.format;
    entry.datatype = summary.datatype;
    entry.updated = summary.updated;
    entries_.push_back(std::move(entry));
    only_ = std::move(text);
    return;
  }
  for (auto& entry : StreamIndex(io::read_json(file), file.name()).entries()) {
    if (entry.format == "products:1.0" && !entry.path.empty()) {
      entries_.push_back(std::move(entry));
    }
  }
  index_ = std::move(file);
}

std::optional<base::File> ContentSource::index() const {
  if (!index_) {
    return std::nullopt;
  }
  return base::duplicate(index_);
}

namespace {

void require_named(const IndexEntry& entry, const std::string& content_id,
                   const std::string& name) {
  if (content_id != entry.content_id) {
    throw base::Error(base::Errc::untrusted, base::cat(name, ": content id is ", content_id,
                                                       ", the index says ", entry.content_id));
  }
}

}  // namespace

ContentSource::Text ContentSource::products_of(const IndexEntry& entry) {
  if (only_) {
    return {base::duplicate(only_->file), only_->signer};
  }
  auto text = fetch_document(entry.path, products_limit);
  if (!text) {
    throw base::Error(
        base::Errc::not_found,
        base::cat("read ", locate(entry.path), ": the index names it, but it is not there"));
  }
  if (memory_ != nullptr && memory_->is_of_use()) {
    const auto summary = summarise(text->file);
    require_named(entry, summary.content_id, text->file.name());
    judge(entry.path, *text, summary, false);
  }
  return std::move(*text);
}

bool ContentSource::unchanged(const IndexEntry& entry) {
  if (only_) {
    return transport_.was_unchanged(entry.path);
  }
  const bool same = transport_.unchanged(entry.path, products_limit);
  const bool detached = verified() && !entry.path.ends_with(".sjson");
  return (!detached || transport_.unchanged(entry.path + ".gpg", products_limit)) && same;
}

base::File ContentSource::document(const IndexEntry& entry) {
  auto file = products_of(entry).file;
  require_named(entry, read_head(file).content_id, file.name());
  digests_[entry.content_id] = io::digest_file(io::Algorithm::sha256, file);
  file.seek(0);
  return file;
}

ProductTree ContentSource::read(const IndexEntry& entry) {
  auto file = products_of(entry).file;
  digests_[entry.content_id] = io::digest_file(io::Algorithm::sha256, file);
  ProductTree tree(io::read_json(file), file.name());
  require_named(entry, tree.content_id(), file.name());
  return tree;
}

ProductTree ContentSource::read_version(const IndexEntry& entry, const std::string& version) {
  auto file = products_of(entry).file;
  digests_[entry.content_id] = io::digest_file(io::Algorithm::sha256, file);
  auto tree = sstream::read_versions(file, {version});
  require_named(entry, tree.content_id(), file.name());
  return tree;
}

void ContentSource::visit_items(const IndexEntry& entry,
                                const std::function<void(const Item& item)>& visit) {
  auto file = products_of(entry).file;
  sstream::visit_items(file, visit, [&](const ProductTree& tags) {
    require_named(entry, tags.content_id(), file.name());
  });
}

std::string ContentSource::digest(const std::string& content_id) const {
  const auto found = digests_.find(content_id);
  return found == digests_.end() ? std::string() : found->second;
}

}  // namespace sstream
