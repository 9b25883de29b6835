#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/openpgp/openpgp.h"
#include "sstream/lint/report.h"
#include "sstream/lint/stream_files.h"

namespace sstream::lint {

/// The keyrings that a stream's readers are told to use.
class Keyrings {
 public:
  /// Of one file each; with what is wrong about a file's form in the report.
  Keyrings(const std::vector<std::string>& files, const base::Clock& clock, Report& report);

  bool empty() const { return verifiers_.empty(); }

  /// The text that was signed, by a key of one of the keyrings. Error(untrusted) otherwise.
  std::string clearsigned(std::string_view message, const std::string& name) const;
  void detached(std::string_view data, std::string_view signature, const std::string& name) const;

 private:
  template <typename Verify>
  void any(const Verify& verify) const;

  std::vector<std::unique_ptr<io::Verifier>> verifiers_;
};

/// What the signatures of a document are.
struct SignedDocument {
  bool clearsigned = false;  ///< X.sjson is there
  bool detached = false;     ///< X.json.gpg is there
  bool trusted = true;       ///< no signature failed
  bool differs = false;      ///< X.sjson says something else than X.json
  std::string text;          ///< of an index: what X.sjson says
};

/// Looks at both signatures of the document `path` ("streams/v1/X.json", which need not be there).
SignedDocument check_signatures(StreamFiles& files, const std::string& path,
                                const Keyrings& keyrings, Report& report);

}  // namespace sstream::lint
