#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "sstream/format/index.h"
#include "sstream/format/item_stream.h"
#include "sstream/format/summary.h"
#include "sstream/repository/generation.h"
#include "sstream/verify/problem.h"

namespace sstream {

namespace {

/// What a document says that the index says too.
struct StreamTags {
  std::string content_id;
  std::string format;
  std::string datatype;
  std::vector<std::string> products;  ///< sorted
};

/// One pass over the metadata of a directory.
class MetadataReader {
 public:
  MetadataReader(int directory, const DocumentVerifier* verifier, const Context& context)
      : directory_(directory), verifier_(verifier), context_(context) {}

  MetadataVerdict run() {
    const auto documents = documents_in(directory_);
    verdict_.documents = documents.size();
    look_for_signatures();
    if (std::find(documents.begin(), documents.end(), "index.json") == documents.end()) {
      untrusted("index.json", "is missing");
    }
    for (const auto& name : documents) {
      base::check_stop(context_.stop);
      check_signatures(name);
      name == "index.json" ? read_index() : read_document(name);
    }
    compare_index();
    settle_files();
    return std::move(verdict_);
  }

 private:
  void add(ProblemKind kind, const std::string& object, std::string reason) {
    verdict_.problems.push_back({kind, object, std::move(reason)});
  }

  void untrusted(const std::string& object, std::string reason) {
    add(ProblemKind::metadata, object, std::move(reason));
    verdict_.untrusted = true;
  }

  template <typename Read>
  void guarded(const std::string& name, Read read) {
    try {
      read();
    } catch (const base::Error& error) {
      untrusted(name, error.what());
    }
  }

  /// Also those of documents that are gone.
  void look_for_signatures() {
    for (const auto& name : base::list_directory(directory_)) {
      std::string document;
      if (name.ends_with(".json.gpg")) {
        document = name.substr(0, name.size() - 4);
      } else if (name.ends_with(".sjson")) {
        document = base::cat(name.substr(0, name.size() - 6), ".json");
      } else {
        continue;
      }
      if (!base::exists_at(directory_, document)) {
        add(ProblemKind::signature, name, base::cat("signs ", document, ", which is missing"));
      }
    }
  }

  void check_signatures(const std::string& name) {
    if (verifier_ == nullptr) {
      return;
    }
    guarded(name, [&] {
      const auto faults = verifier_->faults(directory_, name);
      if (faults) {
        add(ProblemKind::signature, name, faults.text());
        verdict_.untrusted = verdict_.untrusted || !faults.vouched();
      }
    });
  }

  void read_index() {
    guarded("index.json", [&] {
      auto file = base::open_beneath(directory_, "index.json", O_RDONLY);
      entries_ = StreamIndex(io::read_json(file), "index.json").entries();
    });
  }

  void read_document(const std::string& name) {
    guarded(name, [&] {
      auto file = base::open_beneath(directory_, name, O_RDONLY);
      if (read_head(file).format != "products:1.0") {
        read_other(name, summarise(file));
        return;
      }
      visit_items(
          file, [&](const Item& item) { read_item(name, item); },
          [&](const ProductTree& tags) {
            auto& stream = streams_[name];
            stream = {tags.content_id(), "products:1.0", tags.datatype(), {}};
            for (const auto& [product, node] : tags.products().items()) {
              stream.products.push_back(product);
            }
          });
    });
  }

  void read_other(const std::string& name, const StreamSummary& summary) {
    if (summary.is_stream()) {
      streams_[name] = {summary.content_id, summary.format, summary.datatype, {}};
    }
  }

  void read_item(const std::string& name, const Item& item) {
    base::check_stop(context_.stop);
    const auto path = item.path();
    if (!path) {
      return;
    }
    try {
      verdict_.files.push_back({*path, Checksums::of(item, true)});
    } catch (const base::Error& error) {
      add(ProblemKind::metadata, name, error.what());
    }
  }

  void compare_index() {
    std::set<std::string> listed;
    for (const auto& entry : entries_) {
      if (entry.path.empty()) {
        continue;
      }
      const auto name = base::base_name(entry.path);
      listed.insert(name);
      if (entry.path != "streams/v1/" + name) {
        add(ProblemKind::metadata, "index.json",
            base::cat(entry.content_id, " is at ", entry.path, ", not in streams/v1/"));
      } else if (!base::exists_at(directory_, name)) {
        untrusted("index.json", base::cat("names ", name, ", which is missing"));
      } else if (const auto found = streams_.find(name); found != streams_.end()) {
        compare_entry(entry, name, found->second);
      }
    }
    for (const auto& [name, stream] : streams_) {
      if (!listed.contains(name)) {
        add(ProblemKind::metadata, "index.json", base::cat("does not name ", name));
      }
    }
  }

  void compare_entry(const IndexEntry& entry, const std::string& name, const StreamTags& stream) {
    const auto differs = [&](const char* what, const std::string& ours, const std::string& theirs) {
      if (ours != theirs) {
        add(ProblemKind::metadata, "index.json",
            base::cat(entry.content_id, ": ", what, " is ", ours, ", in ", name, " it is ",
                      theirs));
      }
    };
    differs("content id", entry.content_id, stream.content_id);
    differs("format", entry.format, stream.format);
    differs("datatype", entry.datatype, stream.datatype);
    if (stream.format != "products:1.0") {
      return;
    }
    auto named = entry.products;
    std::sort(named.begin(), named.end());
    if (named != stream.products) {
      add(ProblemKind::metadata, "index.json",
          base::cat(entry.content_id, ": names ", named.size(), " products, not the ",
                    stream.products.size(), " of ", name));
    }
  }

  /// One entry a file. Items that promise different things of one file: one of them lies.
  void settle_files() {
    auto& files = verdict_.files;
    const auto before = [](const auto& one, const auto& other) { return one.path < other.path; };
    if (!std::is_sorted(files.begin(), files.end(), before)) {  // as a rule they are
      std::stable_sort(files.begin(), files.end(), before);
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (kept == 0 || files[kept - 1].path != files[i].path) {
        if (kept != i) {
          files[kept] = std::move(files[i]);
        }
        ++kept;
        continue;
      }
      const auto& first = files[kept - 1].expected;
      const auto& other = files[i].expected;
      if (first.size != other.size || first.strongest() != other.strongest()) {
        add(ProblemKind::metadata, files[i].path,
            base::cat("items promise different contents of it: ", first.strongest().second, " and ",
                      other.strongest().second));
      }
    }
    files.resize(kept);
    files.shrink_to_fit();
  }

  int directory_;
  const DocumentVerifier* verifier_;
  const Context& context_;
  MetadataVerdict verdict_;
  std::vector<IndexEntry> entries_;
  std::map<std::string, StreamTags> streams_;
};

}  // namespace

MetadataVerdict verify_metadata(int directory, const DocumentVerifier* verifier,
                                const Context& context) {
  return MetadataReader(directory, verifier, context).run();
}

}  // namespace sstream
