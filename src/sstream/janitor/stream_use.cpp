#include "sstream/janitor/stream_use.h"

#include <algorithm>

#include <glob.h>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "sstream/repository/holds.h"
#include "sstream/source/content_source.h"

namespace sstream {

namespace {

/// A quoted pattern, expanded as a shell would have.
std::vector<std::string> expand(const std::string& word) {
  if (base::exists_at(AT_FDCWD, word) || word.find_first_of("*?[") == std::string::npos) {
    return {word};
  }
  glob_t found{};
  const int result = ::glob(word.c_str(), 0, nullptr, &found);
  std::vector<std::string> names;
  if (result == 0) {
    names.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);  // NOLINT: a C array
  }
  ::globfree(&found);
  if (names.empty()) {
    throw base::Error(base::Errc::not_found, base::cat("stream ", word, ": nothing matches"));
  }
  return names;
}

/// Directory above streams/v1, and the document (empty: all).
std::pair<std::string, std::string> locate(const std::string& word) {
  if (io::is_http_url(word)) {
    throw base::Error(
        base::Errc::usage,
        base::cat("stream ", word, ": only a local stream can be locked and looked at"));
  }
  if (!base::exists_at(AT_FDCWD, word)) {
    throw base::Error(base::Errc::not_found, base::cat("stream ", word, ": does not exist"));
  }
  auto [root, document] = split_location(word);
  if (!document.empty()) {
    return {root, base::base_name(document)};
  }
  if (base::exists_at(AT_FDCWD, base::cat(word, "/streams/v1"))) {
    return {word, {}};
  }
  const auto directory = base::real_path(base::open_file(word, O_PATH).fd());
  if (directory.ends_with("/streams/v1")) {
    return {directory.substr(0, directory.size() - std::string_view("/streams/v1").size()), {}};
  }
  throw base::Error(base::Errc::usage,
                    base::cat("stream ", word,
                              ": neither a directory with streams/v1 in it nor a "
                              "document below streams/v1"));
}

void add_document(StreamSpec& spec, bool all_known, const std::string& document) {
  if (document.empty() || document.starts_with("index.")) {
    spec.documents.clear();
  } else if (!all_known) {
    spec.documents.push_back(document);
  }
}

}  // namespace

std::vector<StreamSpec> resolve_streams(const std::vector<std::string>& words) {
  std::vector<StreamSpec> specs;
  for (const auto& word : words) {
    for (const auto& name : expand(word)) {
      const auto [root, document] = locate(name);
      const auto absolute = base::real_path(base::open_directory(root).fd());
      const auto known = std::find_if(specs.begin(), specs.end(),
                                      [&](const auto& spec) { return spec.root == absolute; });
      if (known == specs.end()) {
        specs.push_back({absolute, {}});
        add_document(specs.back(), false, document);
      } else {
        add_document(*known, known->documents.empty(), document);
      }
    }
  }
  std::sort(specs.begin(), specs.end(),
            [](const auto& one, const auto& other) { return one.root < other.root; });
  return specs;
}

StreamUse::StreamUse(StreamSpec spec, Access access, int data)
    : spec_(std::move(spec)),
      repository_(std::make_unique<Repository>(spec_.root, access)),
      data_(data) {}

StreamUse::Relation StreamUse::relation_of(int fd) const {
  Relation relation;
  if (base::same_file(fd, data_)) {
    relation.same = true;
    return relation;
  }
  const auto here = base::real_path(fd) + "/";
  const auto there = base::real_path(data_) + "/";
  if (here.starts_with(there)) {
    relation.prefix = here.substr(there.size());
  } else if (there.starts_with(here)) {
    relation.strip = there.substr(here.size());
  }
  return relation;
}

void StreamUse::for_each_name(std::string_view path,
                              const std::function<void(std::string_view name)>& visit) const {
  visit(path);
  if (base::unsafe_path_reason(path) != nullptr) {
    return;
  }
  const auto place = repository_->place(std::string(path));
  auto known = relations_.find(place.dirfd);
  if (known == relations_.end()) {
    known = relations_.emplace(place.dirfd, relation_of(place.dirfd)).first;
  }
  const auto& relation = known->second;
  if (relation.same && place.path != path) {
    visit(place.path);
  } else if (!relation.prefix.empty()) {
    visit(relation.prefix + place.path);
  } else if (!relation.strip.empty() && place.path.starts_with(relation.strip)) {
    visit(std::string_view(place.path).substr(relation.strip.size()));
  }
}

void for_each_name(const std::vector<StreamUse>& uses, const ReferencePolicy& policy,
                   base::Time now, const VisitName& visit) {
  for (const auto& use : uses) {
    auto own = policy;
    own.documents = use.spec().documents;
    for_each_named_path(
        use.repository(), own, [&](std::string_view path, std::string_view generation) {
          use.for_each_name(path, [&](std::string_view name) { visit(use, name, generation); });
        });
    Holds::load(use.repository()).for_each_path(now, [&](const std::string& path) {
      use.for_each_name(path, [&](std::string_view name) { visit(use, name, ""); });
    });
  }
}

}  // namespace sstream
