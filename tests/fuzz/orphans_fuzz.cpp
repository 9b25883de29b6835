// A list of orphans and, behind a line "--", what is remembered beside it: refused as untrusted (or
// as made by a newer version), or one that is saved and loaded again as the same.
#include <string>

#include <unistd.h>

#include "base/fs/atomic_file.h"
#include "base/fs/temp_dir.h"
#include "sstream/janitor/orphans.h"
#include "tests/fuzz/fuzz.h"

namespace {

void write(const std::string& path, std::string_view text) {
  auto file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  file.write(text);
}

/// Throws what load() throws of the first list only.
void load_and_save(const std::string& path) {
  const auto list = sstream::OrphanFile::load(path);
  list.save(path);
  const auto again = sstream::OrphanFile::load(path);
  fuzz::require(again.orphans.size() == list.orphans.size() && again.streams == list.streams &&
                again.keyring == list.keyring);
  for (std::size_t i = 0; i < list.orphans.size(); ++i) {
    const auto& one = list.orphans[i];
    const auto& other = again.orphans[i];
    fuzz::require(one.path == other.path);
    // A date that cannot be read is kept as it stands.
    fuzz::require(one.since == other.since && one.stamp == other.stamp);
    fuzz::require(!one.since || one.mark == other.mark);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // What is saved is fsynced: in memory, if there is a place.
  static const base::TempDir directory("orphans-fuzz",
                                       ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "");
  const auto [list, state] = fuzz::cut(fuzz::text_of(data, size), "\n--\n");
  const auto path = directory.path() + "/orphans";
  write(path, list);
  write(path + ".state", state);
  try {
    load_and_save(path);
  } catch (const base::Error& error) {
    const bool newer = std::string_view(error.what()).find("newer version") != std::string::npos;
    fuzz::require(error.code() == base::Errc::untrusted || newer);
  }
  return 0;
}
