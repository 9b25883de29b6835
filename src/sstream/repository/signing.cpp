#include "sstream/repository/signing.h"

#include <functional>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fs/beneath.h"
#include "base/process/stop.h"
#include "base/process/worker_pool.h"
#include "base/strings.h"
#include "io/json/json.h"
#include "sstream/format/index.h"

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

/// Whether a verified message says just this. Text without escaped lines, as all of ours, is
/// compared in place; false is for one that wants a closer look.
bool says(std::string_view message, std::string_view text) {
  const auto start = message.find("\n\n");
  const auto end = message.rfind("\n-----BEGIN PGP SIGNATURE-----");
  return start != message.npos && end != message.npos && start < end &&
         message.substr(start + 2, end + 1 - (start + 2)) == text;
}

/// gpg takes one core; a document has two signatures.
void in_two_threads(const std::function<void()>& first, const std::function<void()>& second) {
  base::parallel_for(2, 2, [&](std::size_t i) { i == 0 ? first() : second(); });
}

/// In the place of an older one.
base::File new_signature(int directory, const std::string& name) {
  base::unlink_at(directory, name);
  auto file = base::open_file_at(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
  file.chmod(0644);
  return file;
}

/// What we signed a moment ago has to be good.
void read_back(const std::function<void()>& verify) {
  try {
    verify();
  } catch (const base::Error& error) {
    if (error.code() != base::Errc::untrusted) {
      throw;  // it could not be read, which is no word about the signature
    }
    throw base::Error(base::Errc::internal,
                      base::cat("a new signature does not read back: ", error.what()));
  }
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

void DocumentSigner::sign_detached(int directory, const std::vector<std::string>& names,
                                   const std::stop_token& stop) const {
  for (const auto& name : names) {
    base::check_stop(stop);
    const auto text = read_document(directory, name);
    auto file = new_signature(directory, name + ".gpg");
    file.write(signer_.sign_detached(text));
    base::failpoint::sync("after-detached-signature");
    read_back([&] { verifier_.detached(directory, name, text); });
    file.sync();
  }
}

void DocumentSigner::sign_clear(int directory, const std::vector<std::string>& names,
                                const std::stop_token& stop) const {
  for (const auto& name : names) {
    base::check_stop(stop);
    const auto text = read_document(directory, name);
    const auto index = clear_index(name, text);
    auto file = new_signature(directory, signed_name(name));
    signer_.clearsign(index ? *index : text, [&](std::string_view piece) { file.write(piece); });
    file.start_writeback();
    base::failpoint::sync("after-clear-signature");
    read_back([&] { verifier_.clear(directory, name, text); });
    file.sync();
  }
}

std::string SignatureFaults::text() const {
  return base::cat(detached.value_or(""), detached && clear ? "; " : "", clear.value_or(""));
}

DocumentVerifier::DocumentVerifier(io::Keyring keyring, const base::Clock& clock)
    : verifier_(std::move(keyring), clock) {}

io::Signature DocumentVerifier::detached(int directory, const std::string& name,
                                         const std::string& text) const {
  const auto file = name + ".gpg";
  return verifier_.verify_detached(text, read_document(directory, file), file);
}

io::Signature DocumentVerifier::clear(int directory, const std::string& name,
                                      const std::string& text) const {
  const auto file = signed_name(name);
  const auto message = read_document(directory, file);
  auto signature = verifier_.verify_clear_signature(message, file);
  const auto index = clear_index(name, text);
  const auto& expected = index ? *index : text;
  if (!says(message, expected) &&
      as_clear_signed(unverified_text(message).value_or("")) != as_clear_signed(expected)) {
    throw base::Error(base::Errc::untrusted, base::cat(file, " has another content than ", name));
  }
  return signature;
}

SignatureFaults DocumentVerifier::faults(int directory, const std::string& name) const {
  SignatureFaults faults;
  if (const auto file = name + ".gpg"; !base::exists_at(directory, file)) {
    faults.detached = base::cat(file, " is missing");
  }
  if (const auto file = signed_name(name); !base::exists_at(directory, file)) {
    faults.clear = base::cat(file, " is missing");
  }
  if (faults.detached && faults.clear) {
    return faults;  // a large document is not read for that
  }
  const auto text = read_document(directory, name);
  const auto check = [](std::optional<std::string>& fault, std::optional<io::Signature>& by,
                        const std::function<io::Signature()>& verify) {
    if (fault) {
      return;
    }
    try {
      by = verify();
    } catch (const base::Error& error) {
      fault = error.what();
    }
  };
  in_two_threads(
      [&] {
        check(faults.detached, faults.detached_by, [&] { return detached(directory, name, text); });
      },
      [&] { check(faults.clear, faults.clear_by, [&] { return clear(directory, name, text); }); });
  return faults;
}

}  // namespace sstream
