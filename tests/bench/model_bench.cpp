// bench_model list|edit FILE [OUTPUT]: lists every item of a products file, or changes it and
// writes it out, and prints the seconds and the peak memory that took. tests/bench/model_bench.py
// makes the file and compares with Python's json.
#include <chrono>
#include <cstdio>
#include <cstring>

#include <sys/resource.h>

#include "base/error.h"
#include "base/fs/file.h"
#include "sstream/format/item_stream.h"

namespace {

std::size_t list(const std::string& path) {
  auto file = base::open_file(path, O_RDONLY);
  std::size_t bytes = 0;
  sstream::visit_items(
      file, [&](const sstream::Item& item) { bytes += item.path().value_or("").size(); });
  return bytes;
}

std::size_t edit(const std::string& path, const std::string& output) {
  auto file = base::open_file(path, O_RDONLY);
  sstream::ProductTree tree(io::read_json(file), path);
  tree.set_updated("Thu, 01 Jan 1970 00:00:00 +0000");
  auto out = base::open_file(output, O_WRONLY | O_CREAT | O_TRUNC);
  std::size_t bytes = 0;
  io::write_json(tree.json(), [&](std::string_view piece) {
    out.write(piece);
    bytes += piece.size();
  });
  out.close();
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || (std::strcmp(argv[1], "edit") == 0 && argc < 4)) {
    static_cast<void>(std::fputs("usage: bench_model list FILE | edit FILE OUTPUT\n", stderr));
    return 2;
  }
  try {
    const auto start = std::chrono::steady_clock::now();
    const auto bytes = std::strcmp(argv[1], "edit") == 0 ? edit(argv[2], argv[3]) : list(argv[2]);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;

    struct rusage usage {};

    ::getrusage(RUSAGE_SELF, &usage);
    static_cast<void>(
        std::printf("%zu %.3f %ld\n", bytes, took.count(), usage.ru_maxrss));  // NOLINT: a report
  } catch (const base::Error& error) {
    static_cast<void>(std::fprintf(stderr, "%s\n", base::describe(error).c_str()));  // NOLINT
    return 1;
  }
  return 0;
}
