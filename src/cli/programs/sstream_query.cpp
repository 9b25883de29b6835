#include <cerrno>
#include <iostream>

#include <unistd.h>

#include "base/error.h"
#include "base/exit_code.h"
#include "base/strings.h"
#include "cli/run_options.h"
#include "sstream/query/query.h"

namespace {

using sstream::QueryOutput;

constexpr std::size_t piece_size = 262'144;
constexpr int broken_pipe = 128 + 13;  // as of a program that SIGPIPE ends

struct QueryCommand {
  sstream::QueryOptions options;
  std::string format;
  std::string path;
  bool json = false;
  bool pretty = false;
  cli::RunFlags running;
};

/// Collects what goes to stdout and writes it in large pieces.
class Output {
 public:
  Output() : file_(base::UniqueFd(::dup(STDOUT_FILENO)), "stdout") {}

  void write(std::string_view text) {
    waiting_ += text;
    if (waiting_.size() >= piece_size) {
      flush();
    }
  }

  void flush() {
    if (!waiting_.empty()) {
      file_.write(waiting_);
      waiting_.clear();
    }
  }

  void close() {
    flush();
    file_.close();
  }

 private:
  base::File file_;
  std::string waiting_;
};

void settle(QueryCommand& command) {
  auto& options = command.options;
  if (!command.path.empty()) {
    options.path = command.path;
  }
  if (command.json) {
    options.output = QueryOutput::json;
  } else if (command.pretty) {
    options.output = QueryOutput::pretty;
  } else if (!command.format.empty()) {
    options.output = QueryOutput::format;
    options.format = command.format;
  }
}

int run(QueryCommand& command, const sstream::Context& context) {
  settle(command);
  Output output;
  const sstream::QuerySinks sinks{
      [&](std::string_view text) { output.write(text); },
      [](std::string_view text) { std::cerr << text; },
  };
  try {
    sstream::query(command.options, sinks, context);
    output.close();
  } catch (const base::Error& error) {
    if (error.sys_errno() == EPIPE) {
      return broken_pipe;
    }
    output.flush();  // what came before the error is good
    throw;
  } catch (const base::Stopped&) {
    output.flush();
    throw;
  }
  return base::exit_done;
}

cli::Action declare(const cli::Options& line) {
  auto command = std::make_shared<QueryCommand>();
  auto& options = command->options;
  options.trust.default_keyring = sstream::ubuntu_cloud_keyring;
  line.word("MIRROR_URL", options.source,
            "Stream: a directory, an index or products file, or an http(s) URL");
  line.rest("FILTER", options.filters,
            "Only items that match, e.g. arch=amd64 'release~(noble|jammy)'");
  line.number("--max", options.max, "Only the N newest versions of a product");
  line.text("--path", "PATH", command->path,
            "Path of the index or products file below MIRROR_URL (default: "
            "streams/v1/index.sjson, else index.json)");
  const auto output = line.in(cli::Group::output);
  auto& format = output.text("-o,--output-format", "FORMAT", command->format,
                             "Line for an item, e.g. '%(product_name)s %(path)s'");
  auto& pretty = output.flag("--pretty", command->pretty, "Print items for people to read");
  auto& json = output.flag("--json", command->json, "Print all items as one JSON array");
  format.excludes(pretty).excludes(json);
  pretty.excludes(json);
  const auto trust = line.in(cli::Group::trust);
  trust.text("--keyring", "FILE", options.trust.keyring,
             "The stream must be signed by a key of this file");
  trust.flag("--require-signed", options.trust.require_signed, "Refuse an unsigned stream");
  trust.flag("-U,--no-verify", options.trust.no_verify, "Do not verify signatures");
  cli::add_http_options(line, command->running);
  cli::add_log_file(line, command->running);
  return cli::action_of(command, run);
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program(
      argc, argv,
      {"sstream-query", "Lists what a simplestream offers",
       "sstream-query --max=1 -o '%(product_name)s %(version_name)s %(path)s' daily-stream.d "
       "ftype=squashfs\nsstream-query --json --keyring keyring.gpg "
       "https://images.example.com/daily release=noble arch=amd64",
       declare});
}
