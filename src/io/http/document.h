#pragma once

#include "io/http/transfer.h"

namespace io {

/// Fetches into memory, compressed on the way where the server can.
class DocumentTransfer : public Transfer {
 public:
  DocumentTransfer(const Request& request, const HttpOptions& options, std::uint64_t seed);

  Document take_document() { return std::move(document_); }

 protected:
  void prepare(curl::Easy& easy) override;
  void accept(const ResponseHead& head) override;
  void take(std::string_view bytes) override;
  void complete() override;
  void restart() override;

 private:
  const Request& request_;
  std::uint64_t max_bytes_;
  std::uint64_t have_ = 0;
  Document document_;
};

}  // namespace io
