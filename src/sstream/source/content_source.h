#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "io/openpgp/openpgp.h"
#include "sstream/format/index.h"
#include "sstream/format/product_tree.h"
#include "sstream/format/summary.h"
#include "sstream/repository/context.h"
#include "sstream/source/source_memory.h"

namespace sstream {

/// What the user said about trusting a source.
struct TrustOptions {
  std::string keyring;          ///< --keyring FILE
  bool require_signed = false;  ///< --require-signed
  bool no_verify = false;       ///< --no-verify
  std::string
      default_keyring;  ///< used where one is demanded and none is named, if the file exists
  bool allow_rollback = false;                  ///< --allow-rollback, see ReplayRules
  std::optional<std::chrono::seconds> max_age;  ///< --max-age
  bool allow_md5 = false;                       ///< --allow-md5: files that have no better digest
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
  /// or an index or products file below streams/v1 (docs/format.md 2.1). Reads and verifies the
  /// first document. Error(not_found) naming what was tried; Error(untrusted) where the signature
  /// does not hold. `memory`: what the repository that is to be changed remembers of this source;
  /// what is read is judged by it (a local directory only if it is verified: it is the operator's
  /// own), and what it kept is not fetched again. It must outlive this object; the caller saves it
  /// in the end.
  static ContentSource open(const std::string& where, const TrustOptions& trust,
                            const Context& context, SourceMemory* memory = nullptr);

  /// The same for the document `path` below the directory or URL `base`.
  static ContentSource open_at(const std::string& base, const std::string& path,
                               const TrustOptions& trust, const Context& context,
                               SourceMemory* memory = nullptr,
                               std::vector<std::string> mirrors = {});

  ContentSource(ContentSource&&) noexcept;
  ContentSource& operator=(ContentSource&&) = delete;
  ContentSource(const ContentSource&) = delete;
  ContentSource& operator=(const ContentSource&) = delete;
  ~ContentSource();

  /// The contents on offer: the entries of the index that are products:1.0, or the one products
  /// file named.
  const std::vector<IndexEntry>& entries() const { return entries_; }

  /// A content's verified document, whole; its content_id equals the entry's.
  base::File document(const IndexEntry& entry) const;

  /// Whether a content's document is, byte for byte, what the memory's repository fetched last.
  /// Costs one conditional request (with a detached signature two), which document() then saves.
  bool unchanged(const IndexEntry& entry) const;

  /// A document by its path, verified. Error(not_found) where there is none.
  base::File text(const std::string& path) const;

  /// Any file of the source as it is, unverified; nullopt where there is none.
  std::optional<base::File> raw(const std::string& path) const;

  /// The index as it was read; nullopt where a products file was named.
  std::optional<base::File> index() const;

  /// The path of the document that was read first.
  const std::string& first_path() const { return first_path_; }

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

  /// The same, and then those at the other mirrors.
  std::vector<std::string> locate_all(const std::string& path) const;

  /// The directory or URL above streams/v1, with its final slash.
  const std::string& base() const { return base_; }

  /// sha256 of the (verified) text of a content that was read; empty before.
  std::string digest(const std::string& content_id) const;

  bool is_local() const { return !io::is_http_url(base_); }

  /// True when every document read was verified.
  bool verified() const { return verifier_ != nullptr; }

  /// True when the source offers itself signed, whether anybody verified it or not.
  bool is_signed() const { return verified() || first_path_.ends_with(".sjson"); }

 private:
  /// A document's text as a file, and the key that it was verified by.
  struct Text {
    base::File file;
    std::string signer;
  };

  ContentSource(std::string base, const Context& context, SourceMemory* memory,
                std::vector<std::string> mirrors = {});

  void start(const std::string& path, const TrustOptions& trust);
  std::optional<std::string> fetch(const std::string& path, std::uint64_t limit) const;
  std::optional<base::File> fetch_file(const std::string& path, std::uint64_t limit) const;
  std::optional<base::File> fetch_remote(const std::string& path, std::uint64_t limit) const;
  std::optional<base::File> fetch_local(const std::string& path, std::uint64_t limit) const;
  void keep(const std::string& path, const base::File& file, std::string etag,
            std::string last_modified) const;
  std::optional<Text> fetch_document(const std::string& path, std::uint64_t limit) const;
  void open_memory(const TrustOptions& trust);
  void choose_trust(const TrustOptions& trust, bool signed_path);
  void require_still_signed(const TrustOptions& trust) const;
  Text first_document(const std::string& path);
  Text products_of(const IndexEntry& entry) const;
  void judge(const std::string& path, Text& text, const StreamSummary& summary, bool first) const;

  std::string base_;  ///< ends in "/"
  const Context& context_;
  std::unique_ptr<io::Verifier> verifier_;
  std::vector<IndexEntry> entries_;
  mutable std::map<std::string, std::string> digests_;
  mutable Text only_;  ///< the products file that start() read; handed over by the first use
  SourceMemory* memory_;
  std::vector<std::string> mirrors_;  ///< other bases, each with its final slash
  std::string first_path_;
  base::File index_;
  mutable std::map<std::string, base::File> ready_;  ///< fetched by unchanged(), not used yet
  mutable std::set<std::string> unchanged_;          ///< paths that are as the memory knows them
};

/// Splits a location at its streams/v1/...{json,sjson}: the part above (with the final slash) and
/// the path below; the path is empty when the location names no document.
std::pair<std::string, std::string> split_location(const std::string& where);

}  // namespace sstream
