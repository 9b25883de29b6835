#include "sstream/janitor/path_set.h"

#include <algorithm>

#include "io/hash/fingerprint.h"

namespace sstream {

void PathSet::add(std::string_view path) {
  hashes_.push_back(io::fingerprint64(path));
}

void PathSet::seal() {
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
}

bool PathSet::contains(std::string_view path) const {
  return std::binary_search(hashes_.begin(), hashes_.end(), io::fingerprint64(path));
}

}  // namespace sstream
