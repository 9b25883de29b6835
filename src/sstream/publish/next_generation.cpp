#include "sstream/publish/next_generation.h"

#include <algorithm>

#include "base/error.h"
#include "base/fs/beneath.h"
#include "base/fs/tree.h"
#include "base/process/stop.h"
#include "base/strings.h"

namespace sstream {

namespace {

void write_file(int directory, const std::string& name,
                const std::function<void(const io::Sink& sink)>& write) {
  auto file = base::open_file_at(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
  write([&](std::string_view bytes) { file.write(bytes); });
  file.chmod(0644);
  file.sync();
  file.close();
}

}  // namespace

NextGeneration::NextGeneration(int parent, const Generation& live, const std::string& name)
    : parent_(parent), live_(live), name_(base::cat(".v1.", name, ".new")) {
  base::remove_tree_at(parent, name_);
  base::make_directory_at(parent, name_);
  directory_ = base::open_directory_at(parent, name_);
  directory_.chmod(0755);
}

NextGeneration::~NextGeneration() {
  if (!name_.empty()) {
    try {
      base::remove_tree_at(parent_, name_);
    } catch (const std::exception&) {  // the next run removes it
      name_.clear();
    }
  }
}

void NextGeneration::carry_over(const std::vector<std::string>& replaced,
                                const std::stop_token& stop) {
  if (live_.directory() < 0) {
    return;
  }
  base::copy_tree(live_.directory(), directory(), [&](const std::string& file) {
    base::check_stop(stop);
    return file.starts_with(".") ||
           std::any_of(replaced.begin(), replaced.end(), [&](const auto& document) {
             return file == document || is_signature_of(file, document);
           });
  });
}

void NextGeneration::write(const std::string& file, NewStream& content,
                           const std::string& updated) {
  write_file(directory(), file, [&](const io::Sink& sink) { content.write(updated, sink); });
}

void NextGeneration::copy(const std::string& file, base::File& content) {
  write_file(directory(), file, [&](const io::Sink& sink) {
    std::vector<char> buffer(std::size_t{1} << 18U);
    std::uint64_t offset = 0;
    while (const auto got = content.read_at(buffer, offset)) {
      sink({buffer.data(), got});
      offset += got;
    }
  });
}

void NextGeneration::write_index(const io::Json& index) {
  write_file(directory(), "index.json", [&](const io::Sink& sink) { io::write_json(index, sink); });
}

std::vector<std::string> NextGeneration::to_sign(const DocumentSigner& signer,
                                                 const std::stop_token& stop) const {
  std::vector<std::string> names;
  for (const auto& name : documents_in(directory())) {
    base::check_stop(stop);
    if (signer.faults(directory(), name)) {
      names.push_back(name);
    }
  }
  return names;
}

void NextGeneration::check(const Listing& listed) const {
  const auto fail = [](const std::string& reason) {
    throw base::Error(base::Errc::internal,
                      base::cat("the new generation does not read back: ", reason));
  };
  auto index_file = base::open_beneath(directory(), "index.json", O_RDONLY);
  const StreamIndex index(io::read_json(index_file), "index.json");
  const auto entries = index.entries();
  if (entries.size() != listed.size()) {
    fail(base::cat("index.json has ", entries.size(), " entries, not ", listed.size()));
  }
  for (const auto& entry : entries) {
    const auto name = base::base_name(entry.path);
    const auto expected = listed.find(entry.content_id);
    if (expected == listed.end() || expected->second.file != name ||
        entry.path != "streams/v1/" + name) {
      fail(base::cat("index.json names ", entry.content_id, " at ", entry.path));
    }
    auto file = base::open_beneath(directory(), name, O_RDONLY);
    if (summarise(file) != expected->second.summary) {
      fail(base::cat(name, " is not what was written"));
    }
  }
}

void NextGeneration::sync() const {
  base::sync_directory(directory(), name_);
  base::sync_directory(parent_, "streams");
}

}  // namespace sstream
