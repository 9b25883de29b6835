#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "meph2/verify/verify.h"
#include "tests/io/meph2/janitor/streams.h"

namespace support {

/// A stream of a few files, and ways to spoil it. The clock is ahead of the files' dates, so that
/// they count as settled.
class VerifyWorld : public JanitorWorld {
 protected:
  VerifyWorld() {
    world.clock.set(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) +
                    std::chrono::hours(1));
  }

  static Versions files(int count) {
    Versions versions;
    for (int i = 0; i < count; ++i) {
      const auto version = base::cat("202601", i < 9 ? "0" : "", i + 1);
      versions[version] = {base::cat("noble/", version, "/squashfs"),
                           base::cat("noble/", version, "/manifest")};
    }
    return versions;
  }

  meph2::VerifyOptions of(const std::string& name) {
    meph2::VerifyOptions out;
    out.target = world.path(name);
    out.data.read = true;
    out.data.jobs = 2;
    out.publish = options;
    out.publish.action = "verify";
    out.publish.create = false;
    return out;
  }

  meph2::VerifyResult verify(const meph2::VerifyOptions& asked) {
    return meph2::verify(asked, world.context);
  }

  /// "KIND OBJECT" of each problem, sorted.
  static std::vector<std::string> problems(const meph2::VerifyResult& result) {
    std::vector<std::string> out;
    for (const auto& found : result.problems) {
      out.push_back(base::cat(sstream::name_of(found.problem.kind), " ", found.problem.object));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  /// Changes one byte in the middle, and nothing that a look at size or dates would show.
  void flip(const std::string& name) const {
    const auto path = world.path(name);
    auto file = base::open_file(path, O_RDWR);
    const auto status = file.status();
    const auto at = file.size() / 2;
    std::string byte(1, '\0');
    file.read_at(byte, at);
    file.seek(at);
    file.write(std::string(1, static_cast<char>(byte[0] ^ 1)));
    const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
    ASSERT_EQ(::futimens(file.fd(), times.data()), 0);
  }

  void remove(const std::string& name) const { base::unlink_at(AT_FDCWD, world.path(name)); }
};

}  // namespace support
