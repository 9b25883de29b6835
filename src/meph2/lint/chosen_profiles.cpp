#include "meph2/lint/chosen_profiles.h"

#include "base/error.h"
#include "base/fs/atomic_file.h"
#include "base/strings.h"
#include "io/json/json.h"

namespace meph2 {

namespace {

constexpr const char* file_name = "lint.json";

}  // namespace

std::optional<Profiles> chosen_profiles(const sstream::Repository& repository) {
  const int directory = repository.private_dir();
  if (directory < 0 || !base::exists_at(directory, file_name)) {
    return std::nullopt;
  }
  const auto name = base::cat(repository.path(), "/.data/.sstream/", file_name);
  auto file = base::open_file_at(directory, file_name, O_RDONLY | O_NOFOLLOW);
  const auto json = io::read_json(file);
  const auto unusable = [&](const std::string& reason) {
    return base::Error(base::Errc::usage,
                       base::cat(name, ": ", reason, "; `meph2-util lint --remember ",
                                 repository.path(), "` forgets it"));
  };
  if (!json.is_object() || !json.contains("profiles") || !json["profiles"].is_array()) {
    throw unusable("/profiles: there is no list");
  }
  Profiles chosen = 0;
  for (const auto& profile : json["profiles"]) {
    if (!profile.is_string()) {
      throw unusable(base::cat("/profiles: a name has to be text, not ", io::type_name(profile)));
    }
    chosen |= base::with_context(name, [&] { return profile_of(profile.get<std::string>()); });
  }
  return chosen;
}

void choose_profiles(const std::string& directory, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    profile_of(name);
  }
  const sstream::Repository repository(directory, sstream::Access::locks);
  if (!names.empty()) {
    base::replace_file(repository.private_dir(), file_name, io::to_text({{"profiles", names}}));
  } else {
    base::unlink_at(repository.private_dir(), file_name);
  }
}

}  // namespace meph2
