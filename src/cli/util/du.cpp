#include "meph2/verbs/du.h"

#include <algorithm>
#include <memory>

#include "base/strings.h"
#include "cli/print.h"
#include "cli/util/commands.h"

namespace cli {

namespace {

/// In the order of DuBy.
const std::vector<std::string> bys = {"product", "release", "arch", "version", "orphan"};

struct DuCommand {
  std::string data_d;
  meph2::DuBy by = meph2::DuBy::product;
  bool json = false;
};

std::string padded(const std::string& text, std::size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

void print_table(const meph2::DuResult& use) {
  const auto line = [&](const std::string& bytes, const std::string& files,
                        const std::string& shared, const std::string& name) {
    print_line(base::cat(padded(bytes, 10), padded(files, 9), padded(shared, 12), "  ",
                         base::escape_control(name)));
  };
  line("size", "files", "+shared", "");
  for (const auto& row : use.rows) {
    line(base::human_bytes(row.bytes), base::cat(row.files), base::human_bytes(row.shared_bytes),
         row.name);
  }
  line(base::human_bytes(use.bytes), base::cat(use.files), "", "total, each file once");
}

void print_rows(const meph2::DuResult& use) {
  io::Json rows = io::Json::array();
  for (const auto& row : use.rows) {
    rows.push_back({{"bytes", row.bytes},
                    {"files", row.files},
                    {"name", row.name},
                    {"shared_bytes", row.shared_bytes},
                    {"shared_files", row.shared_files}});
  }
  print_json({{"rows", std::move(rows)}, {"total", {{"bytes", use.bytes}, {"files", use.files}}}});
}

}  // namespace

Action declare_du(const Options& line) {
  auto command = std::make_shared<DuCommand>();
  line.word("DATA_D", command->data_d, "Data directory");
  const auto take = [command](const std::string& word) {
    command->by = static_cast<meph2::DuBy>(std::find(bys.begin(), bys.end(), word) - bys.begin());
  };
  line.choice("--by", bys, take, "By what; orphan: who still names a file (default: product)");
  line.in(Group::output).flag("--json", command->json, "As JSON, in bytes");
  return [command](const sstream::Context& context) {
    const auto use = meph2::du(command->data_d, command->by, context);
    command->json ? print_rows(use) : print_table(use);
    return 0;
  };
}

}  // namespace cli
