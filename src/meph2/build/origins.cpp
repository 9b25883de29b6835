#include "meph2/build/origins.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/strings.h"
#include "io/hash/fingerprint.h"

namespace meph2 {

namespace {

using io::Json;

constexpr const char* file_name = "builds.json";
constexpr unsigned format_version = 1;

Json json_of(const BuildInputs& inputs) {
  auto archives = Json::array();
  for (const auto& archive : inputs.archives) {
    archives.push_back(
        {{"sha256", archive.sha256}, {"suite", archive.suite}, {"url", archive.url}});
  }
  return {{"archives", std::move(archives)},
          {"builder", inputs.builder},
          {"packages", inputs.packages},
          {"program", inputs.program},
          {"revision", inputs.revision},
          {"settings", inputs.settings},
          {"source",
           {{"origin", inputs.origin},
            {"sha256", inputs.source_sha256},
            {"size", inputs.source_size}}}};
}

BuildInputs inputs_of(const Json& json) {
  BuildInputs inputs;
  // Has the form of a builder's report but for three members: one reader checks both.
  static_cast<ReportedInputs&>(inputs) = parse_build_report(json.dump(), "inputs");
  inputs.origin = json.at("source").at("origin").get<std::string>();
  inputs.settings = json.at("settings").get<Json::object_t>();
  inputs.program = json.at("program").get<std::string>();
  return inputs;
}

}  // namespace

bool is_complete(const BuildInputs& inputs) {
  return !inputs.source_sha256.empty() && !inputs.builder.empty() && !inputs.program.empty() &&
         !inputs.settings.empty() && !inputs.archives.empty() &&
         std::ranges::all_of(inputs.archives,
                             [](const UsedArchive& archive) { return !archive.sha256.empty(); });
}

std::string digest_of(const BuildInputs& inputs) {
  auto json = json_of(inputs);
  json.at("source").erase("origin");
  return io::fingerprint(io::to_text(json));
}

BuildOrigins BuildOrigins::load(const sstream::Repository& repository, const base::Log& log) {
  BuildOrigins records;
  if (repository.private_dir() < 0 || !base::exists_at(repository.private_dir(), file_name)) {
    return records;
  }
  const auto broken = [&](const char* reason) {
    log.warning(base::cat(repository.path(), "/.data/.sstream/", file_name, ": ", reason,
                          "; it counts as empty"));
    return BuildOrigins();
  };
  try {
    auto file =
        base::open_file_at(repository.private_dir(), file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const auto json = io::read_json(file);
    if (json.at("version").get<unsigned>() != format_version) {
      return broken("written by another version of this software");
    }
    for (const auto& [product, versions] : json.at("builds").get<Json::object_t>()) {
      for (const auto& [version, entry] : versions.get<Json::object_t>()) {
        auto inputs = inputs_of(entry.at("inputs"));
        if (digest_of(inputs) != entry.at("digest").get<std::string>()) {
          return broken("a digest does not fit its inputs");
        }
        records.set(product, version, std::move(inputs));
      }
    }
  } catch (const Json::exception& error) {
    return broken(error.what());
  } catch (const base::Error& error) {
    return broken(error.what());
  }
  return records;
}

const BuildInputs* BuildOrigins::find(const std::string& product,
                                      const std::string& version) const {
  const auto found = builds_.find({product, version});
  return found == builds_.end() ? nullptr : &found->second;
}

std::vector<std::string> BuildOrigins::versions(const std::string& product) const {
  std::vector<std::string> list;
  for (const auto& [key, inputs] : builds_) {
    if (key.first == product) {
      list.push_back(key.second);
    }
  }
  std::ranges::reverse(list);
  return list;
}

void BuildOrigins::set(const std::string& product, const std::string& version, BuildInputs inputs) {
  builds_[{product, version}] = std::move(inputs);
}

void BuildOrigins::keep_live(const sstream::Generation& live) {
  std::set<Key> found;
  for (const auto& [content_id, stream] : live.streams()) {
    if (found.size() == builds_.size()) {
      break;
    }
    const auto tree = stream.format == "products:1.0" ? live.read_tree(content_id) : std::nullopt;
    for (const auto& [key, inputs] : builds_) {
      if (tree && tree->version(key.first, key.second) != nullptr) {
        found.insert(key);
      }
    }
  }
  std::erase_if(builds_, [&](const auto& entry) { return !found.contains(entry.first); });
}

void BuildOrigins::save(const sstream::Repository& repository) const {
  auto builds = Json::object();
  for (const auto& [key, inputs] : builds_) {
    builds[key.first][key.second] = {{"digest", digest_of(inputs)}, {"inputs", json_of(inputs)}};
  }
  const Json json = {{"builds", std::move(builds)}, {"version", format_version}};
  base::replace_file(repository.private_dir(), file_name, io::to_text(json));
}

}  // namespace meph2
