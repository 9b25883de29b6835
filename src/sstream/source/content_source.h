#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fs/file.h"
#include "io/openpgp/openpgp.h"
#include "sstream/format/index.h"
#include "sstream/format/product_tree.h"
#include "sstream/format/summary.h"
#include "sstream/repository/context.h"
#include "sstream/source/source_memory.h"
#include "sstream/source/transport.h"

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
  base::File document(const IndexEntry& entry);

  /// Whether a content's document is, byte for byte, what the memory's repository fetched last.
  /// Costs one conditional request (with a detached signature two), which document() then saves.
  bool unchanged(const IndexEntry& entry);

  /// A document by its path, verified. Error(not_found) where there is none.
  base::File text(const std::string& path);

  /// Any file of the source as it is, unverified; nullopt where there is none.
  std::optional<base::File> raw(const std::string& path);

  /// The index as it was read; nullopt where a products file was named.
  std::optional<base::File> index() const;

  /// The path of the document that was read first.
  const std::string& first_path() const { return first_path_; }

  /// Reads a content; its content_id must equal the entry's.
  ProductTree read(const IndexEntry& entry);

  /// Only what says something about one version (sstream::read_versions()), in little memory.
  ProductTree read_version(const IndexEntry& entry, const std::string& version);

  /// Visits the items of a content in little memory, as sstream::visit_items() does. What is
  /// visited is what was verified.
  void visit_items(const IndexEntry& entry, const std::function<void(const Item& item)>& visit);

  /// Local path or URL of a data file.
  std::string locate(const std::string& path) const { return transport_.locate(path); }

  /// The same, and then those at the other mirrors.
  std::vector<std::string> locate_all(const std::string& path) const {
    return transport_.locate_all(path);
  }

  /// The directory or URL above streams/v1, with its final slash.
  const std::string& base() const { return transport_.base(); }

  /// sha256 of the (verified) text of a content that was read; empty before.
  std::string digest(const std::string& content_id) const;

  bool is_local() const { return transport_.is_local(); }

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
  std::optional<std::string> fetch(const std::string& path, std::uint64_t limit);
  std::optional<Text> fetch_document(const std::string& path, std::uint64_t limit);
  void open_memory(const TrustOptions& trust);
  void choose_trust(const TrustOptions& trust, bool signed_path);
  void require_still_signed(const TrustOptions& trust) const;
  Text first_document(const std::string& path);
  Text products_of(const IndexEntry& entry);
  void judge(const std::string& path, Text& text, const StreamSummary& summary, bool first);

  Transport transport_;
  const Context& context_;
  std::unique_ptr<io::Verifier> verifier_;
  std::vector<IndexEntry> entries_;
  std::map<std::string, std::string> digests_;
  std::optional<Text> only_;  ///< the products file that start() read
  SourceMemory* memory_;
  std::string first_path_;
  base::File index_;
};

/// Splits a location at its streams/v1/...{json,sjson}: the part above (with the final slash) and
/// the path below; the path is empty when the location names no document.
std::pair<std::string, std::string> split_location(const std::string& where);

}  // namespace sstream
