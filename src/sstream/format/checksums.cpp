#include "sstream/format/checksums.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/process/stop.h"
#include "base/strings.h"
#include "sstream/format/product_tree.h"

namespace sstream {

namespace {

[[noreturn]] void refuse(const Item& item, const std::string& reason) {
  throw base::Error(base::Errc::untrusted, base::cat(item.pedigree().text(), ": ", reason));
}

std::string shown(const Json& value) {
  if (value.is_structured()) {
    return io::type_name(value);
  }
  auto text = io::to_text(value);
  text.pop_back();
  return text.size() > 150 ? text.substr(0, 150) + "..." : text;
}

std::uint64_t size_of(const Item& item) {
  const Json* value = item.find("size");
  if (value == nullptr) {
    refuse(item, "size is missing");
  }
  std::optional<std::uint64_t> size;
  if (value->is_number_unsigned()) {
    size = value->get<std::uint64_t>();
  } else if (value->is_number_integer() && value->get<std::int64_t>() >= 0) {
    size = static_cast<std::uint64_t>(value->get<std::int64_t>());
  } else if (value->is_string()) {
    size = base::parse_decimal(value->get_ref<const std::string&>());
  }
  if (!size || *size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    refuse(item, base::cat("size is ", shown(*value), ", must be a number of bytes"));
  }
  return *size;
}

bool looks_like_digest(const Json& value, std::size_t digits) {
  return value.is_string() && value.get_ref<const std::string&>().size() == digits &&
         base::is_hex(value.get_ref<const std::string&>());
}

std::string digest_of(const Item& item, const char* name, std::size_t digits) {
  const Json* value = item.find(name);
  if (value == nullptr) {
    return {};
  }
  if (!looks_like_digest(*value, digits)) {
    refuse(item, base::cat(name, " is ", shown(*value), ", must be ", digits, " hex digits"));
  }
  return base::to_lower(value->get<std::string>());
}

}  // namespace

std::pair<io::Algorithm, std::string> Checksums::strongest() const {
  if (!sha512.empty()) {
    return {io::Algorithm::sha512, sha512};
  }
  if (!sha256.empty()) {
    return {io::Algorithm::sha256, sha256};
  }
  if (md5.empty()) {
    throw base::Error(base::Errc::internal, "checksums: none is given");
  }
  return {io::Algorithm::md5, md5};
}

Checksums Checksums::of(const Item& item, bool allow_md5) {
  Checksums sums;
  sums.size = size_of(item);
  sums.sha256 = digest_of(item, "sha256", 64);
  sums.sha512 = digest_of(item, "sha512", 128);
  // Beside a digest that counts, an md5 that cannot be one is noise: old streams have such.
  const bool strong = !sums.sha256.empty() || !sums.sha512.empty();
  const Json* md5 = item.find("md5");
  if (md5 != nullptr && (!strong || looks_like_digest(*md5, 32))) {
    sums.md5 = digest_of(item, "md5", 32);
  }
  if (sums.sha256.empty() && sums.sha512.empty() && (sums.md5.empty() || !allow_md5)) {
    refuse(item, sums.md5.empty() ? "has no checksum: sha256 or sha512 is needed"
                                  : "has only an md5 checksum: sha256 or sha512 is needed");
  }
  return sums;
}

ChecksumVerifier::ChecksumVerifier(const Checksums& expected) : size_(expected.size) {
  const auto add = [&](const char* name, io::Algorithm algorithm, const std::string& digest) {
    if (!digest.empty()) {
      parts_.push_back({name, digest, io::Digest(algorithm)});
    }
  };
  add("sha512", io::Algorithm::sha512, expected.sha512);
  add("sha256", io::Algorithm::sha256, expected.sha256);
  add("md5", io::Algorithm::md5, expected.md5);
}

void ChecksumVerifier::update(std::string_view bytes) {
  seen_ += bytes.size();
  for (auto& part : parts_) {
    part.digest.update(bytes);
  }
}

void ChecksumVerifier::verify(const std::string& name) {
  if (seen_ != size_) {
    throw base::Error(base::Errc::untrusted,
                      base::cat(name, ": ", seen_, " bytes, must be ", size_));
  }
  for (auto& part : parts_) {
    if (const auto found = part.digest.hex(); found != part.expected) {
      throw base::Error(base::Errc::untrusted, base::cat(name, ": ", part.name, " is ", found,
                                                         ", must be ", part.expected));
    }
  }
}

void verify_file(base::File& file, const Checksums& expected, const std::stop_token& stop) {
  ChecksumVerifier verifier(expected);
  if (file.size() == expected.size) {  // a wrong length needs no reading
    constexpr std::uint64_t largest = 1U << 20U;
    std::vector<char> buffer(static_cast<std::size_t>(std::min(expected.size + 1, largest)));
    std::uint64_t offset = 0;
    while (const auto got = file.read_at(buffer, offset)) {
      base::check_stop(stop);
      verifier.update({buffer.data(), got});
      offset += got;
    }
    verifier.verify(file.name());
    return;
  }
  throw base::Error(base::Errc::untrusted,
                    base::cat(file.name(), ": ", file.size(), " bytes, must be ", expected.size));
}

}  // namespace sstream
