// First line a query's output format, the rest the value of a tag: refused as usage, or it gives a
// line.
#include "sstream/query/record.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [line, value] = fuzz::cut(fuzz::text_of(data, size), "\n");
  const std::string format(line);
  const sstream::Json none = sstream::Json::object();
  const sstream::Json node = {{"a", std::string(value)}, {"b", 1}};
  const sstream::Pedigree pedigree{"p", "v", "i"};
  const sstream::Item item(pedigree, none, none, none, node);
  sstream::Record record("");
  static_cast<void>(sstream::python_pretty(record.pairs(item)));
  fuzz::refused_or_done(base::Errc::usage, [&] {
    std::string out;
    sstream::RecordFormat(format).append(item, "", out);
  });
  return 0;
}
