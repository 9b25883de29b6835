#include "meph2/build/compare.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "sstream/format/product_tree.h"

namespace meph2 {

namespace {

using io::Json;

std::string shown(const Json& value) {
  return value.is_null() ? std::string() : sstream::scalar_text(value).value_or(value.dump());
}

/// "/kernel/package" as people name it.
std::string setting_name(const std::string& pointer) {
  return base::replace_all(pointer.substr(1), "/", ".");
}

/// One comparison: the pieces that its steps share.
class Comparison {
 public:
  Comparison(const BuildInputs& recorded, const InputsNow& now) : before_(recorded), now_(now) {}

  std::vector<BuildChange> run() {
    compare_source();
    compare_settings();
    compare_builder();
    compare_archives();
    compare_packages();
    return std::move(changes_);
  }

 private:
  /// true where nothing can be said of it; then that is said.
  bool unknown(const std::string& what, const std::string& before, const std::string& after) {
    if (!before.empty() && !after.empty()) {
      return false;
    }
    const auto reason = now_.unknown.find(what);
    const auto why = before.empty()                 ? std::string("it was not recorded")
                     : reason == now_.unknown.end() ? std::string()
                                                    : reason->second;
    changes_.push_back(
        {what, before, after, base::cat("unknown", why.empty() ? "" : ": ", why), false});
    return true;
  }

  void compare_source() {
    const auto& now = now_.inputs;
    if (!before_.source_sha256.empty() && now.source_sha256.empty() && now.source_size != 0 &&
        before_.source_size != 0 && now.source_size != before_.source_size) {
      changes_.push_back({"source", base::cat(before_.source_size, " bytes"),
                          base::cat(now.source_size, " bytes"), "", true});
      return;
    }
    if (!unknown("source", before_.source_sha256, now.source_sha256)) {
      differ("source", before_.source_sha256, now.source_sha256);
    }
  }

  void differ(const std::string& what, const std::string& before, const std::string& after) {
    if (before != after) {
      changes_.push_back({what, before, after, "", true});
    }
  }

  void compare_settings() {
    const auto before = before_.settings.flatten();
    const auto after = now_.inputs.settings.flatten();
    std::set<std::string> keys;
    for (const auto* settings : {&before, &after}) {
      for (const auto& entry : settings->items()) {
        keys.insert(entry.key());
      }
    }
    for (const auto& key : keys) {
      const auto old = before.value(key, Json());
      const auto fresh = after.value(key, Json());
      if (old != fresh) {
        changes_.push_back(
            {base::cat("setting ", setting_name(key)), shown(old), shown(fresh), "", true});
      }
    }
  }

  /// The name and version that it says, and the bytes of its program where they say more.
  void compare_builder() {
    const auto& now = now_.inputs;
    if (unknown("builder", before_.builder, now.builder)) {
      return;
    }
    if (before_.builder != now.builder) {
      differ("builder", before_.builder, now.builder);
    } else if (before_.revision != now.revision) {
      differ("builder revision", std::to_string(before_.revision), std::to_string(now.revision));
    } else if (!unknown("builder program", before_.program, now.program) &&
               before_.program != now.program) {
      changes_.push_back({"builder program", before_.program, now.program, "changed", true});
    }
  }

  void compare_archives() {
    if (before_.archives.empty()) {
      changes_.push_back({"archives", "", "", "unknown: none was recorded", false});
    }
    for (const auto& old : before_.archives) {
      const auto found = std::ranges::find_if(now_.inputs.archives, [&](const UsedArchive& each) {
        return each.url == old.url && each.suite == old.suite;
      });
      const auto fresh = found == now_.inputs.archives.end() ? std::string() : found->sha256;
      const auto what = archive_name(old);
      if (!unknown(what, old.sha256, fresh) && old.sha256 != fresh) {
        changes_.push_back({what, old.sha256, fresh, "changed", true});
      }
    }
  }

  void compare_packages() {
    for (const auto& [name, version] : before_.packages) {
      const auto found = now_.inputs.packages.find(name);
      if (found != now_.inputs.packages.end()) {
        differ(base::cat("package ", name), version, found->second);
      }
    }
  }

  const BuildInputs& before_;
  const InputsNow& now_;
  std::vector<BuildChange> changes_;
};

}  // namespace

std::vector<BuildChange> compare_inputs(const BuildInputs& recorded, const InputsNow& now) {
  return Comparison(recorded, now).run();
}

std::string line_of(const BuildChange& change) {
  const auto shown = [](const std::string& text) { return text.empty() ? "(none)" : text; };
  return base::cat(change.what, ": ",
                   change.note.empty()
                       ? base::cat(shown(change.before), " -> ", shown(change.after))
                       : change.note);
}

io::Json json_of(const BuildChange& change) {
  io::Json json{{"known", change.known}, {"what", change.what}};
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) {
      json[key] = value;
    }
  };
  set("before", change.before);
  set("after", change.after);
  set("note", change.note);
  return json;
}

}  // namespace meph2
