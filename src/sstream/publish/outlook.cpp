#include "sstream/publish/outlook.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "sstream/format/shape.h"

namespace sstream {

namespace {

std::string file_of(const Generation& live, const std::string& content_id) {
  const auto found = live.streams().find(content_id);
  const auto file = found != live.streams().end() ? found->second.file : content_id + ".json";
  base::require_safe_path(file);
  if (file.find('/') != std::string::npos || file.starts_with(".") || file == "index.json") {
    throw base::Error(base::Errc::untrusted,
                      base::cat("content id '", content_id, "' is not fit for a file name"));
  }
  return file;
}

/// Unless it is live already.
void add_change(const Generation& live, PlannedStream planned, const GuardRails& rails,
                std::vector<ContentChange>& changes) {
  auto after = planned.content->summary();
  const auto content_id = after.content_id;
  const auto file = file_of(live, content_id);
  const bool known = live.streams().contains(content_id);
  auto versions = changed_versions(known ? live.summary(content_id) : StreamSummary{}, after);
  if (known) {
    check_shrink(rails, content_id, live.summary(content_id), after);
    if (versions.empty() && !planned.known_to_differ && planned.content->is_live(live)) {
      return;
    }
  }
  changes.push_back({.content_id = content_id,
                     .file = file,
                     .content = std::move(planned.content),
                     .summary = std::move(after),
                     .versions = std::move(versions)});
}

Listing next_listing(const Generation& live, const std::vector<ContentChange>& changes,
                     const std::vector<std::string>& dropped) {
  Listing listed;
  for (const auto& change : changes) {
    listed[change.content_id] = {change.file, change.summary};
  }
  for (const auto& [content_id, stream] : live.streams()) {
    const bool goes = std::find(dropped.begin(), dropped.end(), content_id) != dropped.end();
    if (!goes && !listed.contains(content_id)) {
      listed[content_id] = {stream.file, live.summary(content_id)};
    }
  }
  return listed;
}

}  // namespace

io::Json changed_versions(const StreamSummary& before, const StreamSummary& after) {
  auto changed = io::Json::object();
  const auto count = [](const StreamSummary& summary, const std::string& product) {
    const auto found = summary.versions.find(product);
    return found == summary.versions.end() ? std::size_t{0} : found->second;
  };
  for (const auto* summary : {&before, &after}) {
    for (const auto& [product, versions] : summary->versions) {
      if (count(before, product) != count(after, product)) {
        changed[product] = {count(before, product), count(after, product)};
      }
    }
  }
  return changed;
}

WhatChanges outlook(const Generation& live, Plan& plan, const GuardRails& rails) {
  WhatChanges next;
  for (auto& planned : plan.streams) {
    add_change(live, std::move(planned), rails, next.contents);
  }
  plan.streams.clear();
  for (const auto& change : next.contents) {
    next.streams.push_back(change.content_id);
    next.versions[change.content_id] = change.versions;
  }
  for (const auto& content_id : plan.dropped) {
    next.versions[content_id] = nullptr;
  }
  next.listed = next_listing(live, next.contents, plan.dropped);
  for (const auto& [content_id, keys] : plan.entries) {
    next.listed.at(content_id).entry = keys;
  }
  next.same_content = next.contents.empty() && plan.dropped.empty() && !live.index().is_null() &&
                      next_index(live, next.listed) == live.index();
  return next;
}

WhatChanges exact_outlook(const Generation& live, ExactMetadata& metadata,
                          const GuardRails& rails) {
  WhatChanges next;
  next.listed = listing_of(metadata);
  next.same_content = is_live(metadata, live);
  for (const auto& [content_id, stream] : next.listed) {
    const bool known = live.streams().contains(content_id);
    const auto before = known ? live.summary(content_id) : StreamSummary{};
    check_shrink(rails, content_id, before, stream.summary);
    if (before != stream.summary) {
      next.streams.push_back(content_id);
      next.versions[content_id] = changed_versions(before, stream.summary);
    }
  }
  for (const auto& [content_id, stream] : live.streams()) {
    if (!next.listed.contains(content_id)) {
      check_shrink(rails, content_id, live.summary(content_id), {});
      next.versions[content_id] = nullptr;
    }
  }
  return next;
}

io::Json next_index(const Generation& live, const Listing& listed) {
  auto index = live.index().is_object() ? live.index() : io::Json::object();
  const auto previous = index.value("index", io::Json::object());
  auto entries = io::Json::object();
  for (const auto& [content_id, stream] : listed) {
    auto& entry = entries[content_id] =
        index_entry(stream.summary, base::cat("streams/v1/", stream.file),
                    previous.value(content_id, io::Json::object()));
    for (const auto& [key, value] : stream.entry.items()) {
      entry[key] = value;
      if (value.is_null()) {
        entry.erase(key);
      }
    }
  }
  index["format"] = "index:1.0";
  index["index"] = std::move(entries);
  return index;
}

std::vector<std::string> earlier_stamps(const Generation& live,
                                        const std::vector<ContentChange>& contents) {
  std::vector<std::string> stamps = {string_or_empty(live.index(), "updated")};
  for (const auto& change : contents) {
    if (live.streams().contains(change.content_id)) {
      stamps.push_back(live.summary(change.content_id).updated);
    }
  }
  return stamps;
}

base::Time next_stamp(base::Time now, const std::vector<std::string>& earlier) {
  auto stamp = now;
  for (const auto& text : earlier) {
    if (const auto previous = base::parse_stamp(text)) {
      stamp = std::max(stamp, *previous + std::chrono::seconds(1));
    }
  }
  return stamp;
}

}  // namespace sstream
