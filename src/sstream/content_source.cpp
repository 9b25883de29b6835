#include "sstream/content_source.h"

#include "base/beneath.h"
#include "base/error.h"
#include "base/strings.h"
#include "base/temp_dir.h"
#include "io/digest.h"
#include "sstream/item_stream.h"
#include "sstream/summary.h"
#include "sstream/version_reader.h"

namespace sstream {

namespace {

constexpr std::uint64_t index_limit = 16ULL << 20U;
constexpr std::uint64_t products_limit = 256ULL << 20U;
constexpr std::string_view clear_header = "-----BEGIN PGP SIGNED MESSAGE-----";

/// The text of a clear-signed message that nobody verifies: for --no-verify only.
std::string unverified_text(const std::string& message) {
  const auto start = message.find("\n\n");
  const auto end = message.find("\n-----BEGIN PGP SIGNATURE-----");
  if (start == std::string::npos || end == std::string::npos || end < start) {
    return message;
  }
  auto text = message.substr(start + 2, end - start - 1);
  if (text.starts_with("- ")) {
    text.erase(0, 2);
  }
  return base::replace_all(std::move(text), "\n- ", "\n");
}

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

ContentSource::ContentSource(std::string base, const Context& context)
    : base_(std::move(base)), context_(context) {}

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
      throw base::Error(base::Errc::usage, base::cat(base_, ": --require-signed needs --keyring"));
    }
    verifier_ = std::make_unique<io::Verifier>(io::Keyring::load(keyring), context_.clock);
    return;
  }
  if (!is_local()) {
    context_.log.warning(base::cat(base_, ": not verified: no keyring was given"));
  }
}

std::optional<std::string> ContentSource::fetch(const std::string& path,
                                                std::uint64_t limit) const {
  auto file = fetch_file(path, limit);
  return file ? std::optional(base::read_all(*file, limit)) : std::nullopt;
}

/// The document as it is: a local file itself, else a copy that nobody can change.
std::optional<base::File> ContentSource::fetch_file(const std::string& path,
                                                    std::uint64_t limit) const {
  const auto where = locate(path);
  if (is_local()) {
    if (!base::exists_at(AT_FDCWD, where)) {
      return std::nullopt;
    }
    auto file = base::open_file(where, O_RDONLY);
    if (file.size() > limit) {
      throw base::Error(base::Errc::untrusted,
                        base::cat(where, ": larger than ", base::human_bytes(limit)));
    }
    return file;
  }
  auto file = base::unnamed_file(where);
  io::Request request;
  request.url = where;
  request.max_bytes = limit;
  request.save_to = &file;
  if (!context_.http.get(request, context_.stop)) {
    return std::nullopt;
  }
  file.seek(0);
  return file;
}

/// A document's verified text; nullopt when it does not exist. What had to be verified, or cut out
/// of a message, is a copy: the verifier's own.
std::optional<base::File> ContentSource::fetch_document(const std::string& path,
                                                        std::uint64_t limit) const {
  const bool clear_signed = path.ends_with(".sjson");
  if (verifier_ == nullptr && !clear_signed) {
    return fetch_file(path, limit);
  }
  auto body = fetch(path, limit);
  if (!body) {
    return std::nullopt;
  }
  const auto name = locate(path);
  if (verifier_ == nullptr) {
    if (body->starts_with(clear_header)) {
      body = unverified_text(*body);
    }
  } else if (clear_signed) {
    body = verifier_->verify_clearsigned(*body, name).text;
  } else {
    const auto signature = fetch(path + ".gpg", index_limit);
    if (!signature) {
      throw base::Error(base::Errc::untrusted,
                        base::cat(name, ": not signed (no ", base::base_name(path),
                                  ".gpg), and a keyring is demanded"));
    }
    verifier_->verify_detached(*body, *signature, name);
  }
  auto copy = base::unnamed_file(name);
  copy.write(*body);
  copy.seek(0);
  return copy;
}

base::File ContentSource::first_document(const std::string& path) const {
  const std::vector<std::string> candidates =
      path.empty() ? std::vector<std::string>{"streams/v1/index.sjson", "streams/v1/index.json"}
                   : std::vector<std::string>{path};
  for (const auto& candidate : candidates) {
    const bool may_be_products = !path.empty();
    if (auto file = fetch_document(candidate, may_be_products ? products_limit : index_limit)) {
      return std::move(*file);
    }
  }
  throw base::Error(base::Errc::not_found,
                    base::cat("open source ", base_, ": no ", base::join(candidates, " and no ")));
}

ContentSource ContentSource::open(const std::string& where, const TrustOptions& trust,
                                  const Context& context) {
  auto [base, path] = split_location(where);

  // Anything else that names an existing file is read as a document too; its data lies beside it.
  struct stat status {};

  if (path.empty() && !io::is_http_url(where) && base::status_at(AT_FDCWD, where, status) &&
      S_ISREG(status.st_mode)) {
    const auto slash = where.rfind('/');
    base = slash == std::string::npos ? "./" : where.substr(0, slash + 1);
    path = base::base_name(where);
  }
  ContentSource source(std::move(base), context);
  source.start(path, trust);
  return source;
}

ContentSource ContentSource::open_at(const std::string& base, const std::string& path,
                                     const TrustOptions& trust, const Context& context) {
  ContentSource source(base.ends_with("/") ? base : base + "/", context);
  source.start(path, trust);
  return source;
}

/// Reads and verifies the first document, which says what else there is.
void ContentSource::start(const std::string& path, const TrustOptions& trust) {
  choose_trust(trust, path.ends_with(".sjson"));
  auto file = first_document(path);
  const auto summary = summarise(file);
  if (summary.format == "products:1.0") {
    IndexEntry entry;
    entry.content_id = summary.content_id;
    entry.path = path;
    entry.format = summary.format;
    entry.datatype = summary.datatype;
    entry.updated = summary.updated;
    entries_.push_back(std::move(entry));
    only_ = std::move(file);
    return;
  }
  for (auto& entry : StreamIndex(io::read_json(file), file.name()).entries()) {
    if (entry.format == "products:1.0" && !entry.path.empty()) {
      entries_.push_back(std::move(entry));
    }
  }
}

base::File ContentSource::products_of(const IndexEntry& entry) const {
  if (only_) {
    return std::move(only_);
  }
  if (auto file = fetch_document(entry.path, products_limit)) {
    return std::move(*file);
  }
  throw base::Error(base::Errc::not_found, base::cat("read ", locate(entry.path),
                                                     ": the index names it, but it is not there"));
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

ProductTree ContentSource::read(const IndexEntry& entry) const {
  auto file = products_of(entry);
  digests_[entry.content_id] = io::digest_file(io::Algorithm::sha256, file);
  ProductTree tree(io::read_json(file), file.name());
  require_named(entry, tree.content_id(), file.name());
  return tree;
}

ProductTree ContentSource::read_version(const IndexEntry& entry, const std::string& version) const {
  auto file = products_of(entry);
  digests_[entry.content_id] = io::digest_file(io::Algorithm::sha256, file);
  auto tree = sstream::read_versions(file, {version});
  require_named(entry, tree.content_id(), file.name());
  return tree;
}

void ContentSource::visit_items(const IndexEntry& entry,
                                const std::function<void(const Item& item)>& visit) const {
  auto file = products_of(entry);
  sstream::visit_items(file, visit, [&](const Json& top) {
    require_named(entry, top.at("content_id").get<std::string>(), file.name());
  });
}

std::string ContentSource::digest(const std::string& content_id) const {
  const auto found = digests_.find(content_id);
  return found == digests_.end() ? std::string() : found->second;
}

std::string ContentSource::locate(const std::string& path) const {
  base::require_safe_path(path);
  return base_ + (is_local() ? path : base::percent_encode_path(path));
}

}  // namespace sstream
