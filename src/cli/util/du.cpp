#include <map>
#include <memory>

#include "base/strings.h"
#include "cli/publish_options.h"
#include "cli/util/commands.h"
#include "meph2/verbs/disk_use.h"

namespace cli {

namespace {

struct DuCommand {
  std::string data_d;
  meph2::UseBy by = meph2::UseBy::product;
  bool json = false;
};

std::string padded(const std::string& text, std::size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

void print_text(const meph2::DiskUse& use, const sstream::Context& context) {
  const auto line = [&](const std::string& bytes, const std::string& files,
                        const std::string& shared, const std::string& name) {
    context.print(base::cat(padded(bytes, 10), padded(files, 9), padded(shared, 12), "  ",
                            base::escape_control(name)));
  };
  line("size", "files", "+shared", "");
  for (const auto& row : use.rows) {
    line(base::human_bytes(row.bytes), base::cat(row.files), base::human_bytes(row.shared_bytes),
         row.name);
  }
  line(base::human_bytes(use.bytes), base::cat(use.files), "", "total, each file once");
}

void print_json(const meph2::DiskUse& use, const sstream::Context& context) {
  io::Json rows = io::Json::array();
  for (const auto& row : use.rows) {
    rows.push_back({{"bytes", row.bytes},
                    {"files", row.files},
                    {"name", row.name},
                    {"shared_bytes", row.shared_bytes},
                    {"shared_files", row.shared_files}});
  }
  auto text = io::to_text(
      {{"rows", std::move(rows)}, {"total", {{"bytes", use.bytes}, {"files", use.files}}}});
  text.pop_back();
  context.print(text);
}

}  // namespace

Action declare_du(CLI::App& app) {
  auto command = std::make_shared<DuCommand>();
  app.add_option("DATA_D", command->data_d, "Data directory")->required();
  const std::map<std::string, meph2::UseBy> words = {{"product", meph2::UseBy::product},
                                                     {"release", meph2::UseBy::release},
                                                     {"arch", meph2::UseBy::arch},
                                                     {"version", meph2::UseBy::version},
                                                     {"orphan", meph2::UseBy::orphan}};
  app.add_option("--by", command->by,
                 "product (default), release, arch, version, or orphan: who still names a file")
      // Its own description of the words would have their numbers in it.
      ->transform(CLI::CheckedTransformer(words).description(""))
      ->type_name("WHAT:{product,release,arch,version,orphan}");
  app.add_flag("--json", command->json, "As JSON, in bytes");
  return [command](sstream::Context& context) {
    const auto use = meph2::disk_use(command->data_d, command->by, context);
    command->json ? print_json(use, context) : print_text(use, context);
    return 0;
  };
}

}  // namespace cli
