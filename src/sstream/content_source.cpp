#include "sstream/content_source.h"

#include "base/beneath.h"
#include "base/error.h"
#include "base/strings.h"
#include "io/digest.h"

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
  const auto where = locate(path);
  if (is_local()) {
    if (!base::exists_at(AT_FDCWD, where)) {
      return std::nullopt;
    }
    return base::read_file(where, limit);
  }
  io::Request request;
  request.url = where;
  request.max_bytes = limit;
  auto document = context_.http.get(request, context_.stop);
  return document ? std::optional(std::move(document->body)) : std::nullopt;
}

/// A document's verified text; nullopt when it does not exist.
std::optional<ContentSource::Text> ContentSource::fetch_document(const std::string& path,
                                                                 std::uint64_t limit) const {
  auto body = fetch(path, limit);
  if (!body) {
    return std::nullopt;
  }
  const auto name = locate(path);
  const bool clear_signed = path.ends_with(".sjson");
  if (verifier_ == nullptr) {
    return Text{name, clear_signed && body->starts_with(clear_header) ? unverified_text(*body)
                                                                      : std::move(*body)};
  }
  if (clear_signed) {
    return Text{name, verifier_->verify_clearsigned(*body, name).text};
  }
  const auto signature = fetch(path + ".gpg", index_limit);
  if (!signature) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(name, ": not signed (no ", base::base_name(path),
                                ".gpg), and a keyring is demanded"));
  }
  verifier_->verify_detached(*body, *signature, name);
  return Text{name, std::move(*body)};
}

ContentSource::Text ContentSource::first_document(const std::string& path) const {
  const std::vector<std::string> candidates =
      path.empty() ? std::vector<std::string>{"streams/v1/index.sjson", "streams/v1/index.json"}
                   : std::vector<std::string>{path};
  for (const auto& candidate : candidates) {
    const bool may_be_products = !path.empty();
    if (auto text = fetch_document(candidate, may_be_products ? products_limit : index_limit)) {
      return std::move(*text);
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
  source.choose_trust(trust, path.ends_with(".sjson"));
  auto text = source.first_document(path);
  auto json = io::parse_json(text.body, text.name);
  const auto digest = io::digest_hex(io::Algorithm::sha256, text.body);
  text.body.clear();
  text.body.shrink_to_fit();
  if (json.is_object() && json.value("format", Json()) == "products:1.0") {
    source.only_.emplace(std::move(json), text.name);
    IndexEntry entry;
    entry.content_id = source.only_->content_id();
    entry.path = path;
    entry.format = "products:1.0";
    entry.datatype = source.only_->datatype();
    entry.updated = source.only_->updated();
    source.digests_[entry.content_id] = digest;
    source.entries_.push_back(std::move(entry));
    return source;
  }
  for (auto& entry : StreamIndex(std::move(json), text.name).entries()) {
    if (entry.format == "products:1.0" && !entry.path.empty()) {
      source.entries_.push_back(std::move(entry));
    }
  }
  return source;
}

ProductTree ContentSource::read(const IndexEntry& entry) const {
  if (only_) {
    auto tree = std::move(*only_);
    only_.reset();
    return tree;
  }
  auto text = fetch_document(entry.path, products_limit);
  if (!text) {
    throw base::Error(
        base::Errc::not_found,
        base::cat("read ", locate(entry.path), ": the index names it, but it is not there"));
  }
  digests_[entry.content_id] = io::digest_hex(io::Algorithm::sha256, text->body);
  auto tree = ProductTree::parse(text->body, text->name);
  if (tree.content_id() != entry.content_id) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(text->name, ": content id is ", tree.content_id(),
                                ", the index says ", entry.content_id));
  }
  return tree;
}

ProductTree ContentSource::take(const IndexEntry& entry) {
  return only_ ? std::move(*only_) : read(entry);
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
