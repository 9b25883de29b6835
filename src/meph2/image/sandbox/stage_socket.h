#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/fs/file.h"

namespace meph2::image {

/// What a build and its stage say to each other: a line "KIND NAME SIZE", and SIZE bytes. Nothing
/// else goes from one to the other, no descriptor and no path. Each end takes what the other says
/// for what a stranger says: sizes have limits, and what is no message is Error(untrusted).
class StageSocket {
 public:
  explicit StageSocket(base::UniqueFd fd) : file_(std::move(fd), "the stage's socket") {}

  /// Both ends.
  static std::pair<StageSocket, StageSocket> make();

  int fd() const { return file_.fd(); }

  /// Nothing comes and goes any more, whoever waits for it.
  void shut() const;

  void send_text(std::string_view kind, std::string_view text);

  /// The content of a file from its start, as "file NAME".
  void send_file(const std::string& name, base::File& from);

  /// A message whose bytes are to be read next.
  struct Head {
    std::string kind;
    std::string name;
    std::uint64_t size = 0;
  };

  /// Nothing: the other end is gone.
  std::optional<Head> next();

  /// The bytes of a message. More than `limit` are Error(untrusted).
  std::string text(const Head& head, std::uint64_t limit);
  void copy_to(const Head& head, std::uint64_t limit, base::File& to);

 private:
  base::File file_;
};

}  // namespace meph2::image
