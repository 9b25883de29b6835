#include "tests/io/meph2/installer/world.h"

#include <set>

#include "base/strings.h"

namespace world {

InstallerWorld::InstallerWorld() : key_(home_.make_key()), keyring_(path("archive.gpg")) {
  write("archive.gpg", home_.export_keys({key_}));
}

std::string file_url(const std::string& below) {
  return base::cat(archive_url, "/dists/", base::percent_encode_path(below));
}

std::string content_of(const std::string& suite, const std::string& arch,
                       const std::string& version, const std::string& path) {
  return base::cat(path, " of ", version, " in ", suite, " for ", arch, "\n");
}

void InstallerWorld::offer(const std::string& suite, const std::string& arch,
                           const std::string& version, const std::vector<std::string>& paths,
                           const std::string& images, io::Algorithm algorithm) {
  const auto directory = base::cat(suite, "/main/installer-", arch, "/", version, "/", images, "/");
  std::string sums;
  for (const auto& path : paths) {
    const auto text = content_of(suite, arch, version, path);
    http.files[file_url(directory + path)] = text;
    sums += base::cat(io::digest_hex(algorithm, text), "  ./", path, "\n");
  }
  const auto* name = algorithm == io::Algorithm::sha256 ? "SHA256SUMS" : "MD5SUMS";
  http.files[file_url(directory + name)] = sums;
}

void InstallerWorld::make_current(const std::string& suite, const std::string& arch,
                                  const std::string& version) {
  const auto directory = file_url(base::cat(suite, "/main/installer-", arch, "/"));
  const auto from = base::cat(directory, base::percent_encode_path(version), "/");
  const auto files = http.files;
  for (const auto& [url, text] : files) {
    if (url.starts_with(from)) {
      http.files[base::cat(directory, "current/", url.substr(from.size()))] = text;
    }
  }
}

std::string InstallerWorld::sign(const std::string& key, const std::string& text,
                                 bool clear) const {
  // Before the clock of this world.
  std::vector<std::string> arguments{"--faked-system-time", "20251231T000000", "--local-user", key};
  if (clear) {
    arguments.emplace_back("--clearsign");
  } else {
    arguments.insert(arguments.end(), {"--armor", "--detach-sign"});
  }
  arguments.insert(arguments.end(), {"--output", "-"});
  return home_.gpg(arguments, text);
}

void InstallerWorld::sign_suite(const std::string& suite) {
  const auto root = file_url(suite + "/");
  std::string release = base::cat(
      "Origin: Test\nSuite: ", suite, "\nCodename: ", suite,
      "\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nArchitectures: amd64\nComponents: main\nSHA256:\n");
  for (const auto& [url, text] : http.files) {
    if (url.starts_with(root) && url.ends_with("SHA256SUMS")) {
      const auto path = base::replace_all(url.substr(root.size()), "%2B", "+");
      release += base::cat(" ", io::digest_hex(io::Algorithm::sha256, text), " ", text.size(), " ",
                           path, "\n");
    }
  }
  http.files[root + "InRelease"] = sign(key_, release, true);
}

void InstallerWorld::sign_lists() {
  const auto files = http.files;
  for (const auto& [url, text] : files) {
    if (url.ends_with("SUMS")) {
      http.files[url + ".gpg"] = sign(key_, text, false);
    }
  }
}

void InstallerWorld::make_indexes() {
  std::map<std::string, std::set<std::string>> directories;
  for (const auto& [url, text] : http.files) {
    const auto at = url.find("/main/installer-");
    const auto end = at == std::string::npos ? at : url.find('/', at + 7);
    if (end != std::string::npos && end + 1 < url.size()) {
      directories[url.substr(0, end + 1)].insert(
          url.substr(end + 1, url.find('/', end + 1) - end - 1));
    }
  }
  for (const auto& [url, names] : directories) {
    std::string html = "<html><body><pre><a href=\"../\">../</a>\n";
    for (const auto& name : names) {
      html += base::cat("<a href=\"", name, "/\">", name, "/</a>  14-Aug-2021 08:50   -\n");
    }
    http.files[url] = html + "</pre></body></html>\n";
  }
}

void InstallerWorld::move_to(const std::string& url) {
  auto files = std::move(http.files);
  http.files.clear();
  for (auto& [place, text] : files) {
    http.files[base::replace_all(place, archive_url, url)] = std::move(text);
  }
}

}  // namespace world
