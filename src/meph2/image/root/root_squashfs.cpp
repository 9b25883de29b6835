#include "meph2/image/root/root_squashfs.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <map>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/process/subprocess.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "io/tar/archive.h"
#include "meph2/image/root/detect.h"

namespace meph2::image {

namespace {

using base::Errc;
using base::Error;

/// The child that compresses, fed through a pipe.
class Packer {
 public:
  Packer(const std::string& output, const SquashOptions& options) : output_(output) {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
      base::throw_errno(errno, "make", "pipe");
    }
    read_ = base::UniqueFd(fds[0]);
    write_ = base::UniqueFd(fds[1]);
    ::fcntl(write_.get(), F_SETPIPE_SZ, 1 << 20);
    base::Command command;
    command.argv = {"tar2sqfs",
                    "--quiet",
                    "--no-skip",
                    "--compressor",
                    options.compression,
                    "--num-jobs",
                    std::to_string(std::max(options.jobs, 1U)),
                    output};
    command.input_fd = read_.get();
    command.capture_output = true;
    command.capture_error = true;
    command.log_fd = options.log;
    if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH"); epoch == nullptr) {
      // Without it the dates of directories that the tar does not name would be those of now.
      command.env["SOURCE_DATE_EPOCH"] = "0";
    }
    thread_ = std::thread([this, command] {
      try {
        base::run_checked(command, kill_.get_token());
      } catch (const base::Stopped&) {  // by abandon(): no signal to us, and no reason
        failure_ = nullptr;
      } catch (...) {
        failure_ = std::current_exception();
      }
      read_.reset();  // so that writing to nobody is an error, not a wait
    });
  }

  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  ~Packer() {
    if (thread_.joinable()) {
      abandon();
    }
  }

  int input() const { return write_.get(); }

  /// Waits for a good end.
  void finish() {
    write_.reset();
    thread_.join();
    if (failure_) {
      ::unlink(output_.c_str());
      std::rethrow_exception(failure_);
    }
  }

  /// Stops the child and throws away what it wrote; why it ended.
  std::exception_ptr abandon() {
    kill_.request_stop();
    write_.reset();
    thread_.join();
    ::unlink(output_.c_str());
    return failure_;
  }

 private:
  std::string output_;
  base::UniqueFd read_;
  base::UniqueFd write_;
  std::stop_source kill_;
  std::exception_ptr failure_;
  std::thread thread_;
};

void warn_of_losses(const io::TarFacts& facts, const base::Log& log) {
  if (facts.acls > 0) {
    log.warning(base::cat("squashfs holds no POSIX ACLs: left out of ", facts.acls,
                          " entries, first: ", facts.first_acl));
  }
  if (facts.dropped_xattrs > 0) {
    log.warning(base::cat("squashfs holds user, trusted and security attributes only: ",
                          facts.dropped_xattrs, " others left out, first: ", facts.first_dropped));
  }
}

/// GPT types of root partitions (the Discoverable Partitions Specification).
std::string root_type_of(const std::string& arch) {
  static const std::map<std::string, std::string> types = {
      {"amd64", "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"},
      {"i386", "44479540-F297-41B2-9AF7-D131D5F0458A"},
      {"arm64", "B921B045-1DF0-41C3-AF44-4C6F280D3FAE"},
      {"armhf", "69DAD710-2CE4-4E3C-B16C-21A1D49ABED3"},
      {"ppc64el", "C31C45E6-3F39-412E-80FB-4809C4980599"},
      {"s390x", "5EEAD9A9-FE09-4A1E-A1D7-520D00531306"},
      {"riscv64", "72EC70A6-CF74-40E6-BD49-4BDA08E8F224"},
  };
  const auto found = types.find(arch);
  return found == types.end() ? std::string() : found->second;
}

bool holds_ext(const base::File& image, std::uint64_t offset) {
  std::array<char, 2> magic{};
  return image.read_at(magic, offset + 0x438) == magic.size() && magic[0] == '\x53' &&
         magic[1] == '\xef';
}

}  // namespace

void squash_tar(base::File& tar, const std::string& output, const SquashOptions& options,
                const base::Log& log, const std::stop_token& stop) {
  Packer packer(output, options);
  io::TarFacts facts;
  try {
    facts = io::normalise_tar(tar, packer.input(), options.max_bytes, stop);
  } catch (const Error& error) {
    const bool reader_gone = error.sys_errno() == EPIPE;
    const auto reason = packer.abandon();
    if (reader_gone && reason) {
      std::rethrow_exception(reason);
    }
    throw;
  }
  packer.finish();
  warn_of_losses(facts, log);
}

void qcow2_to_raw(base::File& qcow2, const std::string& to, const std::stop_token& stop, int log) {
  require_standalone_qcow2(qcow2);
  base::Command command;
  command.argv = {"qemu-img", "convert", "-f", "qcow2", "-O", "raw", qcow2.name(), to};
  command.capture_output = true;
  command.capture_error = true;
  command.log_fd = log;
  base::run_checked(command, stop);
}

std::string partition_table(const std::string& path, const std::stop_token& stop) {
  base::Command command;
  command.argv = {"sfdisk", "--json", path};
  command.capture_output = true;
  command.capture_error = true;
  return base::run_checked(command, stop).output;
}

Partition find_root_partition(const std::string& table, const base::File& image,
                              const std::string& arch) {
  const auto json = io::parse_json(table, "sfdisk");
  const auto& disk = json.at("partitiontable");
  const auto sector = disk.value("sectorsize", std::uint64_t{512});
  const auto wanted = root_type_of(arch);
  Partition best;
  for (const auto& row : disk.value("partitions", io::Json::array())) {
    const Partition each{row.at("start").get<std::uint64_t>() * sector,
                         row.at("size").get<std::uint64_t>() * sector};
    if (!holds_ext(image, each.offset)) {
      continue;
    }
    if (!wanted.empty() && row.value("type", std::string()) == wanted) {
      return each;
    }
    if (each.size > best.size) {
      best = each;
    }
  }
  if (best.size == 0) {
    throw Error(Errc::untrusted,
                base::cat("read ", image.name(), ": no partition holds an ext file system"));
  }
  return best;
}

}  // namespace meph2::image
