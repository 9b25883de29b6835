#include "sstream/mirror/mirror.h"

#include <algorithm>

#include "base/error.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "io/hash/digest.h"
#include "sstream/format/item_stream.h"
#include "sstream/janitor/unlisted.h"
#include "sstream/mirror/exact_metadata.h"
#include "sstream/mirror/mirror_content.h"

namespace sstream {

namespace {

using base::Errc;

constexpr const char* notes_key = "mirror";

/// Everything that decides what the mirror looks like, besides the source.
io::Json choice_of(const MirrorOptions& options) {
  return {{"exact", options.exact},
          {"files", options.files},
          {"filters", options.filters},
          {"keep", options.keep},
          {"max", options.max ? io::Json(*options.max) : io::Json()},
          {"path", options.path}};
}

std::string digest_of(const io::Json& json) {
  return io::digest_hex(io::Algorithm::sha256, io::to_text(json)).substr(0, 16);
}

void require_sense(const MirrorOptions& options) {
  if (options.keep && !options.max) {
    throw base::Error(Errc::usage, "--keep says nothing without --max");
  }
  if (options.exact && options.keep) {
    throw base::Error(Errc::usage,
                      "--exact and --keep: the source does not list what it has no longer");
  }
  if (options.exact && options.signing == MirrorSigning::always) {
    throw base::Error(Errc::usage, "--exact and --sign: the source's own signatures are published");
  }
}

ContentSource open_source(const MirrorOptions& options, const Context& context,
                          SourceMemory& memory) {
  auto [base, path] = split_location(options.source);
  if (!options.path.empty()) {
    path = options.path;
  }
  return ContentSource::open_at(base, path, options.trust, context, &memory, options.mirrors);
}

class Mirror {
 public:
  Mirror(const MirrorOptions& options, const Context& context)
      : options_(options),
        context_(context),
        filters_(options.filters),
        memory_(options.target, SourceMemory::Keep::originals),
        source_(open_source(options, context, memory_)),
        publish_(options.publish) {}

  MirrorResult run() {
    publish_.sign = signs();
    if (is_up_to_date()) {
      result_.unchanged = true;
      if (!publish_.dry_run) {
        memory_.save();  // writes only what a run that was killed did not keep
      }
      return std::move(result_);
    }
    for (const auto& entry : source_.entries()) {
      documents_.push_back({entry, source_.document(entry)});
      result_.contents.push_back(entry.content_id);
    }
    relax_rails();
    result_.published = publish(
        options_.target, [this](const Generation& live) { return plan(live); }, publish_, context_);
    if (!publish_.dry_run) {
      try {
        finish();
      } catch (const base::Error& error) {
        throw error.becomes(Errc::cleanup_incomplete, "the mirror is up to date");
      } catch (base::Stopped& stop) {
        stop.set_state("the mirror is up to date");
        throw;
      }
    }
    return std::move(result_);
  }

 private:
  struct Document {
    IndexEntry entry;
    base::File file;
  };

  RepositoryState state() const {
    return Repository(options_.target, Access::read, true).read_state();
  }

  bool signs() const {
    if (options_.exact || options_.signing == MirrorSigning::never) {
      return false;
    }
    return options_.signing == MirrorSigning::always || source_.is_signed() ||
           !state().signer.empty();
  }

  /// What a run has to have in common with an earlier one to be its repetition.
  std::string run_key() const {
    auto run = choice_of(options_);
    run["keyring"] = options_.trust.keyring;
    run["verified"] = source_.verified();
    run["sign"] = publish_.sign;
    run["key"] = publish_.key;
    return digest_of(run);
  }

  /// What the memory has noted of this mirror: a map of texts.
  io::Json noted(const char* key) {
    const auto notes = memory_.notes().value(notes_key, io::Json::object());
    return notes.value(key, io::Json::object());
  }

  /// Every document of the source is as it was, and so is what we made of it.
  bool is_up_to_date() {
    if (options_.verify || source_.entries().empty()) {
      return false;
    }
    const auto made = noted("runs").value(run_key(), std::string());
    bool same = !made.empty();
    for (const auto& entry : source_.entries()) {
      same = same && source_.unchanged(entry);
    }
    return same && made == base::cat(live_digest(Repository(options_.target, Access::read, true)),
                                     " of ", memory_.state());
  }

  /// The rails hold back a source, not an operator who chooses otherwise than before.
  void relax_rails() {
    const auto choice = digest_of(choice_of(options_));
    const auto before = noted("contents");
    const bool changed = std::any_of(
        result_.contents.begin(), result_.contents.end(),
        [&](const std::string& content_id) { return before.value(content_id, choice) != choice; });
    if (changed && publish_.rails.enforced) {
      context_.log.info("another choice than before: what it leaves out may go");
      publish_.rails.enforced = false;
    }
  }

  /// Says where the file comes from.
  void locate(NewFile& file) const {
    file.mirrors = source_.locate_all(file.path);
    file.origin = std::move(file.mirrors.front());
    file.mirrors.erase(file.mirrors.begin());
  }

  Plan plan(const Generation& live) {
    Plan plan;
    plan.details = {{"source", base::redact_urls(options_.source)},
                    {"choice", choice_of(options_)}};
    plan.files = FileList(Naming::as_they_come);
    result_.items = 0;
    result_.left_out = 0;
    result_.removed.clear();
    const bool ours = state().generation > 0;
    for (auto& document : documents_) {
      base::check_stop(context_.stop);
      plan_content(live, document, ours, plan);
    }
    if (options_.exact) {
      plan.streams.clear();
      plan.exact = exact_metadata(source_);
    } else {
      drop_vanished(live, plan);
    }
    if (result_.items == 0 && !options_.filters.empty()) {
      throw base::Error(Errc::not_found, base::cat(source_.base(), ": nothing matches ",
                                                   base::join(options_.filters, " ")));
    }
    return plan;
  }

  void plan_content(const Generation& live, Document& document, bool ours, Plan& plan) {
    const auto& content_id = document.entry.content_id;
    auto present = live.open_stream(content_id);
    auto content = choose_content(document.file, present ? &*present : nullptr, options_, filters_,
                                  ours, [&](FileEntry entry) {
                                    locate(entry.file);
                                    plan.files.add(entry);
                                  });
    result_.items += content.items;
    result_.left_out += content.left_out;
    if (options_.exact && content.first_left_out) {
      throw base::Error(Errc::refused, base::cat(content_id, ": --exact publishes a list with ",
                                                 content.first_left_out->text(),
                                                 " on it, which the filters or --max leave out"));
    }
    if (content.stream->empty() && !options_.filters.empty()) {
      if (present) {
        context_.log.info(base::cat(content_id, ": nothing matches; left as it is"));
      }
      return;
    }
    if (publish_.dry_run && present) {
      collect_removed(*present, content);
    }
    plan.streams.emplace_back(std::move(content.stream));
  }

  void collect_removed(base::File& present, const MirroredContent& content) {
    visit_items(present, [&](const Item& item) {
      const auto& id = item.pedigree();
      const auto product = content.versions.find(id.product);
      if (product == content.versions.end() || !product->second.contains(id.version)) {
        FileEntry removed;
        removed.item = id;
        removed.file.path = item.tag("path").value_or("");
        removed.file.expected.size = base::parse_decimal(item.tag("size").value_or("")).value_or(0);
        result_.removed.push_back(std::move(removed));
      }
    });
  }

  /// Contents that this source brought and does not list any more.
  void drop_vanished(const Generation& live, Plan& plan) {
    if (options_.keep || !options_.path.empty()) {
      return;
    }
    const auto brought = noted("contents");
    for (const auto& [content_id, choice] : brought.items()) {
      const bool listed = std::find(result_.contents.begin(), result_.contents.end(), content_id) !=
                          result_.contents.end();
      if (!listed && live.streams().contains(content_id)) {
        check_shrink(publish_.rails, content_id, live.summary(content_id), {});
        plan.dropped.push_back(content_id);
      }
    }
  }

  void finish() {
    const Repository repository(options_.target, Access::write);
    if (result_.published.changed) {
      result_.unlisted = record_unlisted(repository, context_);
    }
    const auto live = Generation::load(repository);
    auto contents = noted("contents");
    for (const auto& content_id : result_.contents) {
      contents[content_id] = digest_of(choice_of(options_));
    }
    for (auto at = contents.begin(); at != contents.end();) {
      at = live.streams().contains(at.key()) ? std::next(at) : contents.erase(at);
    }
    auto runs = noted("runs");
    runs[run_key()] = base::cat(live.digest(), " of ", memory_.state());
    memory_.notes()[notes_key] = {{"contents", std::move(contents)}, {"runs", std::move(runs)}};
    memory_.save();
  }

  const MirrorOptions& options_;
  const Context& context_;
  Filters filters_;
  SourceMemory memory_;
  ContentSource source_;
  PublishOptions publish_;
  std::vector<Document> documents_;
  MirrorResult result_;
};

}  // namespace

MirrorResult mirror(const MirrorOptions& options, const Context& context) {
  require_sense(options);
  try {
    return Mirror(options, context).run();
  } catch (base::Error& error) {
    if (error.code() != Errc::usage) {
      error.set_state("stream unchanged");  // where nothing else was said
    }
    throw;
  } catch (base::Stopped& stop) {
    stop.set_state("stream unchanged");
    throw;
  }
}

}  // namespace sstream
