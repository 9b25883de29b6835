// Feeds files (or the files of directories) to a fuzz target, where there is no libFuzzer: the
// corpus is a test of every build.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/fs/file.h"
#include "tests/fuzz/fuzz.h"

namespace {

std::vector<std::string> files_of(const std::string& path) {
  if (!std::filesystem::is_directory(path)) {
    return {path};
  }
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void replay(const std::string& text) {
  // NOLINTNEXTLINE: libFuzzer's type
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

/// The file, its halves and it with each of a few bytes changed: what a mutation would try first.
void replay_around(std::string text) {
  replay(text);
  replay(text.substr(0, text.size() / 2));
  replay(text.substr(text.size() / 2));
  for (std::size_t i = 0; i < std::min<std::size_t>(text.size(), 64); ++i) {
    const char before = text[i];
    for (const char changed : {'\0', '"', '{', '\x80'}) {
      text[i] = changed;
      replay(text);
    }
    text[i] = before;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  try {
    for (int i = 1; i < argc; ++i) {
      for (const auto& file : files_of(argv[i])) {
        replay_around(base::read_file(file));
        ++count;
      }
    }
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "error: %s\n", error.what()));  // NOLINT
    return 1;
  }
  static_cast<void>(std::printf("%zu files replayed\n", count));  // NOLINT
  return count > 0 ? 0 : 1;
}
