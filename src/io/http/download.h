#pragma once

#include "io/http/received_file.h"
#include "io/http/transfer.h"

namespace io {

/// Fetches into a file, verified while the bytes pass, resumed where it stopped.
class DownloadTransfer : public Transfer {
 public:
  DownloadTransfer(FileRequest& request, const HttpOptions& options, std::uint64_t seed,
                   base::Progress& progress, RateLimit* limit, std::stop_token stop);

  void release() override;

 protected:
  bool satisfied() override;
  void prepare(curl::Easy& easy) override;
  void accept(const ResponseHead& head) override;
  void take(std::string_view bytes) override;
  void complete() override;
  void restart() override;

  bool progressed() const override { return reported_ > reported_before_; }

 private:
  void hash_what_is_there();
  void accept_part(const ResponseHead& head);
  void advance(std::uint64_t bytes);
  void check_digest();

  FileRequest& request_;
  base::Progress& progress_;
  std::stop_token stop_;  ///< for what is read before anything is asked for
  std::optional<ReceivedFile> received_;
  std::uint64_t have_ = 0;
  std::uint64_t reported_ = 0;
  std::uint64_t reported_before_ = 0;  ///< when this attempt began
  std::size_t etag_url_ = 0;
  bool pieced_ = false;  ///< not all bytes came with the answer that is being read
  bool full_retry_used_ = false;
};

}  // namespace io
