#include "sstream/publish/new_stream.h"

#include <cstring>

namespace sstream {

bool is_text_of(NewStream& content, const std::string& updated, const base::File& file) {
  std::uint64_t offset = 0;
  bool same = true;
  std::string buffer;
  content.write(updated, [&](std::string_view piece) {
    buffer.resize(piece.size());
    std::size_t done = 0;
    while (same && done < piece.size()) {
      const auto got = file.read_at({buffer.data() + done, piece.size() - done}, offset + done);
      same = got > 0 && std::memcmp(buffer.data() + done, piece.data() + done, got) == 0;
      done += got;
    }
    offset += piece.size();
  });
  return same && offset == file.size();
}

bool NewStream::is_live(const Generation& live) {
  const auto content_id = summary().content_id;
  const auto file = live.open_stream(content_id);
  return file && is_text_of(*this, live.summary(content_id).updated, *file);
}

void TreeStream::write(const std::string& updated, const io::Sink& sink) {
  tree_.set_updated(updated);
  io::write_json(tree_.json(), sink);
}

bool TreeStream::is_live(const Generation& live) {
  return live.live_content_digest(tree_.content_id()) == content_digest(tree_);
}

}  // namespace sstream
