// Lists the files of the newest version of each product of a signed stream.
//
//     newest KEYRING STREAM
//
// KEYRING is a file with the keys that you trust, STREAM a directory or an http(s) URL.
#include <iostream>

#include "sstream/sstream.h"

// One content of the stream's index is one products file: products, their versions, and the items
// of these.
void list_newest(const sstream::ProductTree& tree) {
  for (const auto& [product, node] : tree.products().items()) {
    const auto versions = tree.versions(product);  // newest first
    if (versions.empty()) {
      continue;
    }
    std::cout << product << " " << versions.front() << "\n";
    tree.for_each_item_of(product, versions.front(), [](const sstream::Item& item) {
      // A path that leads out of the stream has thrown before we see it. Items without a file have
      // none.
      if (const auto path = item.path()) {
        const auto promised = sstream::Checksums::of(item);
        std::cout << "  " << *path << " " << promised.size << " " << promised.strongest().second
                  << "\n";
      }
    });
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: newest KEYRING STREAM\n";
    return base::exit_usage;
  }
  try {
    // The world around the library: it borrows these, and has none of its own.
    const base::SystemClock clock;
    const base::Log log("newest");  // warnings, to stderr
    base::NullProgress progress;
    const auto http = io::make_http_client({});
    const sstream::Context context{
        .clock = clock, .log = log, .progress = progress, .http = *http, .stop = {}};

    // With a keyring every document has to verify: what is read below is what the owner of a key
    // signed.
    sstream::TrustOptions trust;
    trust.keyring = argv[1];
    auto source = sstream::ContentSource::open(argv[2], trust, context);
    for (const auto& entry : source.entries()) {
      list_newest(source.read(entry));
    }
  } catch (const base::Error& error) {
    std::cerr << base::describe(error) << "\n";
    return base::exit_code_of(error.code());  // e.g. 5: a signature does not hold
  }
  return base::exit_done;
}
