#include <cstdio>

#include "base/error.h"
#include "base/fs/file.h"
#include "io/openpgp/openpgp.h"

/// io_openpgp_verify KEYRING MESSAGE: prints the verdict. A process of its own, because GPGME looks
/// for gpg once per process.
int main(int argc, char** argv) {
  if (argc != 3) {
    return 2;
  }
  const base::SystemClock clock;
  try {
    const io::Verifier verifier(io::Keyring::load(argv[1]), clock);  // NOLINT: main's own signature
    const auto verified = verifier.verify_clearsigned(base::read_file(argv[2]), "message");
    std::printf("accepted %s\n", verified.signature.fingerprint.c_str());
  } catch (const base::Error& error) {
    std::printf("refused %s\n", error.what());
  }
  return 0;
}
