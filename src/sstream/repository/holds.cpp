#include "sstream/repository/holds.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/fs/beneath.h"
#include "base/strings.h"
#include "io/json/json.h"

namespace sstream {

namespace {

constexpr const char* file_name = "holds.json";
constexpr unsigned holds_version = 1;

[[noreturn]] void damaged(const Repository& repository, std::string_view reason) {
  throw base::Error(base::Errc::failed,
                    base::cat(repository.path(), "/.data/.sstream/", file_name, ": ", reason,
                              "; repair it or take it away, and with it all holds"));
}

base::Time required_time(const io::Json& value, const char* key) {
  const auto time = base::parse_stamp(value.at(key).get_ref<const std::string&>());
  if (!time) {
    throw base::Error(base::Errc::untrusted, base::cat(key, " is no date"));
  }
  return *time;
}

Hold hold_of(const io::Json& value) {
  Hold hold;
  hold.product = value.at("product").get<std::string>();
  hold.version = value.at("version").get<std::string>();
  hold.reason = value.value("reason", "");
  hold.by = value.value("by", "");
  hold.since = required_time(value, "since");
  if (value.contains("until")) {
    hold.until = required_time(value, "until");
  }
  hold.paths = value.value("paths", std::vector<std::string>{});
  for (const auto& path : hold.paths) {
    base::require_safe_path(path);
  }
  return hold;
}

bool before(const Hold& one, const Hold& other) {
  return std::tie(one.product, one.version) < std::tie(other.product, other.version);
}

}  // namespace

io::Json json_of(const Hold& hold) {
  io::Json json = {{"product", hold.product},
                   {"version", hold.version},
                   {"reason", hold.reason},
                   {"by", hold.by},
                   {"since", base::format_stamp(hold.since)},
                   {"paths", hold.paths}};
  if (hold.until) {
    json["until"] = base::format_stamp(*hold.until);
  }
  return json;
}

Holds Holds::load(const Repository& repository) {
  Holds holds;
  if (repository.private_dir() < 0 || !base::exists_at(repository.private_dir(), file_name)) {
    return holds;
  }
  auto file = base::open_file_at(repository.private_dir(), file_name, O_RDONLY | O_NOFOLLOW);
  try {
    const auto json = io::read_json(file);
    if (json.at("version").get<unsigned>() > holds_version) {
      damaged(repository, "written by a newer version of this software");
    }
    for (const auto& value : json.at("holds")) {
      holds.add(hold_of(value));
    }
  } catch (const io::Json::exception& error) {
    damaged(repository, error.what());
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::untrusted) {
      throw;
    }
    damaged(repository, error.what());
  }
  return holds;
}

const Hold* Holds::find(const std::string& product, const std::string& version,
                        base::Time now) const {
  const auto found = std::find_if(holds_.begin(), holds_.end(), [&](const Hold& hold) {
    return hold.product == product && hold.version == version && hold.active(now);
  });
  return found == holds_.end() ? nullptr : &*found;
}

void Holds::add(Hold hold) {
  remove(hold.product, hold.version);
  holds_.insert(std::upper_bound(holds_.begin(), holds_.end(), hold, before), std::move(hold));
}

bool Holds::remove(const std::string& product, const std::string& version) {
  return std::erase_if(holds_, [&](const Hold& hold) {
           return hold.product == product && hold.version == version;
         }) > 0;
}

void Holds::save(const Repository& repository) const {
  io::Json list = io::Json::array();
  for (const auto& hold : holds_) {
    list.push_back(json_of(hold));
  }
  const io::Json json = {{"version", holds_version}, {"holds", std::move(list)}};
  base::replace_file(repository.private_dir(), file_name, io::to_text(json));
}

void Holds::for_each_path(base::Time now,
                          const std::function<void(const std::string& path)>& visit) const {
  for (const auto& hold : holds_) {
    if (hold.active(now)) {
      std::for_each(hold.paths.begin(), hold.paths.end(), visit);
    }
  }
}

}  // namespace sstream
