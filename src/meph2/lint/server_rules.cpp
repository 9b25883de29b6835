#include "meph2/lint/profiles.h"
#include "meph2/lint/rules.h"

namespace meph2::rules {

using namespace profile;
namespace engine = sstream::lint::engine;

sstream::lint::Rules servers() {
  return {
      // docs/format.md 6.52
      {engine::url_status,
       "the server answers 200 for every file that the metadata names",
       {all},
       "MAAS 3.8 fails the selection at once, older MAAS retries without end.",
       "Publish the file, or take the version out with `meph2-util remove-version`."},
      // docs/format.md 6.52
      {engine::url_redirect,
       "files are served without redirects",
       {maas | maas_classic, lxd | incus | juju | simplestreams},
       "MAAS 3.7 and later (httpx) follow no redirects for files: the download fails at once.",
       "Serve the tree itself, or give MAAS the URL that the redirect leads to."},
      // docs/format.md 6.52
      {engine::url_encoding,
       "files are served without a Content-Encoding",
       {maas | maas_classic | lxd | incus, juju | simplestreams},
       "The client hands over the decoded bytes: size and sha256 fail, for ever.",
       "Turn off compression for data files (nginx: gzip off; Apache: no AddEncoding for .gz)."},
      // docs/format.md 6.52
      {engine::url_length,
       "Content-Length is the size that the metadata says",
       {all},
       "MAAS: 'Downloaded file size does not match expected size', retried for two hours.",
       "Clear the cache in front of the server, or repair the file (`meph2-util verify`)."},
      // docs/format.md 6.52
      {engine::url_caching,
       "index and products files may not be cached for long",
       {0, all},
       "A cache serves an index and a products file of different days: MAAS finds files that are "
       "gone.",
       "Send Cache-Control: max-age=60 (or no-cache) for streams/v1/."},
      // docs/format.md 6.53
      {engine::url_tls,
       "the stream is served over https",
       {0, lxd | incus},
       "`lxc remote add` and `incus remote add` refuse a simplestreams server without TLS.",
       "Serve it over https with a certificate that the clients' system trusts."},
      // docs/format.md 6.53
      {engine::url_port_80,
       "the server answers, or refuses, connections to port 80",
       {0, lxd | incus},
       "LXD and Incus ask for each file by plain http first: where a firewall drops that, they "
       "wait for a connection that never comes, file by file.",
       "Let the firewall reject connections to port 80 instead of dropping them, or serve the "
       "files there too."},
  };
}

}  // namespace meph2::rules
