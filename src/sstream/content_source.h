#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "io/openpgp.h"
#include "sstream/context.h"
#include "sstream/index.h"
#include "sstream/product_tree.h"

namespace sstream {

/// What the user said about trusting a source.
struct TrustOptions {
  std::string keyring;          ///< --keyring FILE
  bool require_signed = false;  ///< --require-signed
  bool no_verify = false;       ///< --no-verify
  std::string
      default_keyring;  ///< used where one is demanded and none is named, if the file exists
};

/// The keyring that Ubuntu's cloud images are signed with, where Ubuntu installs it.
inline constexpr const char* ubuntu_cloud_keyring =
    "/usr/share/keyrings/ubuntu-cloudimage-keyring.gpg";

/// A stream somewhere else to read from: a directory, a file below streams/v1, or an http(s) URL.
/// Whether documents must be signed is decided once, by the options and never by a suffix: with a
/// keyring every document must verify, clear-signed or by its detached signature.
class ContentSource {
 public:
  /// `where`: a directory or URL above streams/v1 (then the index is index.sjson, else index.json),
  /// or an index or products file below streams/v1 (streams.md 2.8). Reads and verifies the first
  /// document. Error(not_found) naming what was tried; Error(untrusted) where the signature does
  /// not hold.
  static ContentSource open(const std::string& where, const TrustOptions& trust,
                            const Context& context);

  /// The same for the document `path` below the directory or URL `base`.
  static ContentSource open_at(const std::string& base, const std::string& path,
                               const TrustOptions& trust, const Context& context);

  ContentSource(ContentSource&&) noexcept;
  ContentSource& operator=(ContentSource&&) = delete;
  ContentSource(const ContentSource&) = delete;
  ContentSource& operator=(const ContentSource&) = delete;
  ~ContentSource();

  /// The contents on offer: the entries of the index that are products:1.0, or the one products
  /// file named.
  const std::vector<IndexEntry>& entries() const { return entries_; }

  /// Reads a content; its content_id must equal the entry's.
  ProductTree read(const IndexEntry& entry) const;

  /// Only what says something about one version (sstream::read_versions()), in little memory.
  ProductTree read_version(const IndexEntry& entry, const std::string& version) const;

  /// Visits the items of a content in little memory, as sstream::visit_items() does. What is
  /// visited is what was verified.
  void visit_items(const IndexEntry& entry,
                   const std::function<void(const Item& item)>& visit) const;

  /// Local path or URL of a data file.
  std::string locate(const std::string& path) const;

  /// The directory or URL above streams/v1, with its final slash.
  const std::string& base() const { return base_; }

  /// sha256 of the (verified) text of a content that was read; empty before.
  std::string digest(const std::string& content_id) const;

  bool is_local() const { return !io::is_http_url(base_); }

  /// True when every document read was verified.
  bool verified() const { return verifier_ != nullptr; }

 private:
  ContentSource(std::string base, const Context& context);

  void start(const std::string& path, const TrustOptions& trust);
  std::optional<std::string> fetch(const std::string& path, std::uint64_t limit) const;
  std::optional<base::File> fetch_file(const std::string& path, std::uint64_t limit) const;
  std::optional<base::File> fetch_document(const std::string& path, std::uint64_t limit) const;
  void choose_trust(const TrustOptions& trust, bool signed_path);
  base::File first_document(const std::string& path) const;
  base::File products_of(const IndexEntry& entry) const;

  std::string base_;  ///< ends in "/"
  const Context& context_;
  std::unique_ptr<io::Verifier> verifier_;
  std::vector<IndexEntry> entries_;
  mutable std::map<std::string, std::string> digests_;
  mutable base::File only_;  ///< the products file that start() read; handed over by the first use
};

/// Splits a location at its streams/v1/...{json,sjson}: the part above (with the final slash) and
/// the path below; the path is empty when the location names no document.
std::pair<std::string, std::string> split_location(const std::string& where);

}  // namespace sstream
