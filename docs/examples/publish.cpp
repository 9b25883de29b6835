// Publishes files as a new version of one product, and signs the stream.
//
//     publish DIR KEY VERSION FILE...
//
// DIR is what a web server shows, and is made if need be. KEY is a secret key of your GnuPG home.
#include <filesystem>
#include <iostream>

#include <fcntl.h>

#include "sstream/sstream.h"

int main(int argc, char** argv) {
  if (argc < 5) {
    std::cerr << "usage: publish DIR KEY VERSION FILE...\n";
    return base::exit_usage;
  }
  try {
    // The world around the library: it borrows these, and has none of its own.
    const base::SystemClock clock;
    const base::Log log("publish");  // warnings, to stderr
    base::NullProgress progress;
    const auto http = io::make_http_client({});
    const sstream::Context context{
        .clock = clock, .log = log, .progress = progress, .http = *http, .stop = {}};

    // What stands in the metadata of a file, and what its copy below DIR must turn out to be.
    std::map<sstream::Pedigree, sstream::NewFile> files;
    for (const std::filesystem::path origin : std::vector<std::string>(argv + 4, argv + argc)) {
      const auto name = origin.filename().string();
      auto& file = files[{"com.example:demo", argv[3], name}];
      file.origin = origin.string();
      file.path = std::string("demo/") + argv[3] + "/" + name;
      auto opened = base::open_file(file.origin, O_RDONLY);
      auto& promised = file.expected;
      promised.sha256 = io::digest_file(io::Algorithm::sha256, opened, &promised.size);
    }

    // What is to become of the live stream. A planner changes nothing, and is called again if
    // somebody else publishes meanwhile.
    const auto add_version = [&](const sstream::Generation& live) {
      const std::string content = "com.example:download";
      auto tree =
          live.read_tree(content).value_or(sstream::ProductTree::make(content, "image-downloads"));
      sstream::Plan plan;
      for (const auto& [pedigree, file] : files) {
        tree.set(pedigree, {{"ftype", pedigree.item},
                            {"path", file.path},
                            {"size", file.expected.size},
                            {"sha256", file.expected.sha256}});
        plan.files.add(file);
      }
      plan.streams.emplace_back(std::move(tree));
      return plan;
    };
    // Readers see the old stream or the new one: whole, signed, and with every file that it names.
    sstream::PublishOptions options;
    options.action = "publish";
    options.create = true;
    options.key = argv[2];
    const auto result = sstream::publish(argv[1], add_version, options, context);
    std::cout << (result.changed ? "published " : "unchanged ") << argv[3] << "\n";
  } catch (const base::Error& error) {
    std::cerr << base::describe(error) << "\n";
    return base::exit_code_of(error.code());
  }
  return base::exit_done;
}
