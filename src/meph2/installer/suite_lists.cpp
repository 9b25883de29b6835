#include "meph2/installer/suite_lists.h"

#include <set>

#include "meph2/apt/release_file.h"

namespace meph2::installer {

SuiteLists SuiteLists::read(const io::Request& in_release, const std::string& suite,
                            const io::Verifier* verifier, const sstream::Context& context) {
  SuiteLists lists;
  if (verifier == nullptr) {
    return lists;
  }
  const auto document = context.http.get(in_release, context.stop);
  if (!document) {
    return lists;
  }
  const auto text = verifier->verify_clearsigned(document->body, document->url).text;
  auto release = apt::parse_release_file(text, document->url);
  apt::require_current(release, suite, context.clock.now(), document->url);
  lists.lists_ = std::move(release.files);
  return lists;
}

std::optional<sstream::Checksums> SuiteLists::find(const std::string& path) const {
  const auto found = lists_.find(path);
  return found == lists_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> SuiteLists::directories(const std::string& below) const {
  std::set<std::string> names;
  for (const auto& [path, sums] : lists_) {
    if (path.starts_with(below) && path.ends_with("SUMS")) {
      names.insert(path.substr(below.size(), path.find('/', below.size()) - below.size()));
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace meph2::installer
