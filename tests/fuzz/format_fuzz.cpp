// First line a query's output format, the rest the value of a tag: refused as usage, or it gives a
// line.
#include <cstdlib>

#include "base/error.h"
#include "sstream/record.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE: libFuzzer's type
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  const auto value = line == std::string_view::npos ? std::string_view() : text.substr(line + 1);
  const sstream::Json none = sstream::Json::object();
  const sstream::Json node = {{"a", std::string(value)}, {"b", 1}};
  const sstream::Pedigree pedigree{"p", "v", "i"};
  const sstream::Item item(pedigree, none, none, none, node);
  sstream::Record record("");
  static_cast<void>(sstream::python_pretty(record.pairs(item)));
  try {
    std::string out;
    sstream::RecordFormat(std::string(text.substr(0, line))).append(item, "", out);
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::usage) {
      std::abort();
    }
  }
  return 0;
}
