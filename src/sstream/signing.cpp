#include "sstream/signing.h"

#include <functional>

#include "base/beneath.h"
#include "base/error.h"
#include "base/strings.h"
#include "base/worker_pool.h"
#include "io/json.h"
#include "sstream/index.h"

namespace sstream {

namespace {

io::Keyring own_keyring(const io::Signer& signer) {
  return io::Keyring::from_bytes(signer.export_key(false), base::cat("key ", signer.fingerprint()));
}

std::string read_document(int directory, const std::string& name) {
  auto file = base::open_beneath(directory, name, O_RDONLY);
  return base::read_all(file);
}

/// What goes under the clear signature where that is not the document itself: an index has its
/// paths rewritten.
std::optional<std::string> clear_index(const std::string& name, const std::string& text) {
  // Only an index is rewritten; a products file of 100 MB must not be parsed to find that out.
  constexpr std::size_t index_limit = 16ULL << 20U;
  if (text.size() > index_limit || text.find("\"index:1.0\"") == std::string::npos) {
    return std::nullopt;
  }
  auto json = io::parse_json(text, name);
  if (!json.is_object() || json.value("format", io::Json()) != "index:1.0") {
    return std::nullopt;
  }
  return io::to_text(with_signed_paths(std::move(json)));
}

/// A clear signature does not cover blanks at the ends of lines, nor a missing last line end:
/// documents of the established tools may have either.
std::string as_clear_signed(const std::string& text) {
  std::string out;
  for (const auto& line : base::split(text, '\n')) {
    out += line.substr(0, line.find_last_not_of(" \t\r") + 1);
    out += '\n';
  }
  while (out.ends_with("\n\n")) {
    out.pop_back();
  }
  return out;
}

/// gpg takes one core; a document has two signatures.
void in_two_threads(const std::function<void()>& first, const std::function<void()>& second) {
  base::parallel_for(2, 2, [&](std::size_t i) { i == 0 ? first() : second(); });
}

void write_file(int directory, const std::string& name, std::string_view content) {
  auto file = base::open_file_at(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
  file.write(content);
  file.chmod(0644);
  file.sync();
  file.close();
}

}  // namespace

std::string signed_name(const std::string& name) {
  return base::cat(name.substr(0, name.size() - std::string_view(".json").size()), ".sjson");
}

std::optional<std::string> unverified_text(std::string_view message) {
  const auto start = message.find("\n\n");
  const auto end = message.find("\n-----BEGIN PGP SIGNATURE-----");
  if (!message.starts_with("-----BEGIN PGP SIGNED MESSAGE-----") || start == message.npos ||
      end == message.npos || end < start) {
    return std::nullopt;
  }
  std::string text;
  text.reserve(end - start);
  for (auto at = start + 2; at <= end;) {
    const auto stop = message.find('\n', at);
    auto line = message.substr(at, stop - at + 1);
    if (line.starts_with("- ")) {
      line.remove_prefix(2);
    }
    text += line;
    at = stop + 1;
  }
  return text;
}

bool is_signature_of(const std::string& file, const std::string& document) {
  return file == document + ".gpg" || file == signed_name(document);
}

DocumentSigner::DocumentSigner(const std::string& key, const std::string& pinned,
                               const Context& context)
    : signer_(key, context.clock), verifier_(own_keyring(signer_), context.clock) {
  if (!pinned.empty() && pinned != fingerprint()) {
    throw base::Error(base::Errc::refused,
                      base::cat("the repository is signed by ", pinned, ", not by ", fingerprint(),
                                "; choose the key with --key or SS_GPG_DEFAULT_KEY"));
  }
  const auto expires = signer_.expires();
  if (expires && *expires - context.clock.now() < key_expiry_warning) {
    context.log.warning(base::cat("key ", fingerprint(), " ends on ", base::format_stamp(*expires),
                                  ": readers will refuse the stream after that"));
  }
}

void DocumentSigner::sign(int directory, const std::string& name) const {
  const auto text = read_document(directory, name);
  const auto index = clear_index(name, text);
  std::string detached;
  std::string clear;
  in_two_threads([&] { detached = signer_.sign_detached(text); },
                 [&] { clear = signer_.clearsign(index ? *index : text); });
  base::unlink_at(directory, name + ".gpg");
  write_file(directory, name + ".gpg", detached);
  base::unlink_at(directory, signed_name(name));
  write_file(directory, signed_name(name), clear);
}

std::string SignatureFaults::text() const {
  return base::cat(detached.value_or(""), detached && clear ? "; " : "", clear.value_or(""));
}

DocumentVerifier::DocumentVerifier(io::Keyring keyring, const base::Clock& clock)
    : verifier_(std::move(keyring), clock) {}

SignatureFaults DocumentVerifier::faults(int directory, const std::string& name) const {
  SignatureFaults faults;
  const auto text = read_document(directory, name);
  const auto check = [&](std::optional<std::string>& fault, const std::string& file,
                         const std::function<void(const std::string& signature)>& verify) {
    try {
      verify(read_document(directory, file));
    } catch (const base::Error& error) {
      const bool missing = error.code() == base::Errc::not_found;
      fault = missing ? base::cat(file, " is missing") : std::string(error.what());
    }
  };
  in_two_threads(
      [&] {
        const auto file = name + ".gpg";
        check(faults.detached, file, [&](const std::string& signature) {
          faults.detached_by = verifier_.verify_detached(text, signature, file);
        });
      },
      [&] {
        const auto file = signed_name(name);
        check(faults.clear, file, [&](const std::string& message) {
          const auto clear = verifier_.verify_clearsigned(message, file);
          const auto index = clear_index(name, text);
          const auto& expected = index ? *index : text;
          if (clear.text != expected && as_clear_signed(clear.text) != as_clear_signed(expected)) {
            faults.clear = base::cat(file, " has another content than ", name);
          } else {
            faults.clear_by = clear.signature;
          }
        });
      });
  return faults;
}

}  // namespace sstream
