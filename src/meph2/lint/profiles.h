#pragma once

#include <string>
#include <vector>

#include "sstream/lint/lint.h"

namespace meph2 {

using sstream::lint::Profiles;

/// The consumers whose demands are known (reference: the rules themselves), one bit each.
namespace profile {
inline constexpr Profiles maas = 1;          ///< MAAS 3.8 and later: a reader of its own
inline constexpr Profiles maas_classic = 2;  ///< MAAS up to 3.7: python-simplestreams
inline constexpr Profiles lxd = 4;
inline constexpr Profiles incus = 8;
inline constexpr Profiles juju = 16;
inline constexpr Profiles simplestreams = 32;  ///< sstream-mirror, sstream-query and their like
inline constexpr Profiles all = maas | maas_classic | lxd | incus | juju | simplestreams;
}  // namespace profile

struct ProfileName {
  Profiles bit;
  std::string name;   ///< as on the command line
  std::string title;  ///< as in a sentence
};

const std::vector<ProfileName>& profile_names();

/// Error(usage), naming what there is, for a name that is none.
Profiles profile_of(const std::string& name);

/// "maas, lxd".
std::string names_of(Profiles profiles, std::string_view separator = ", ");

/// What a products file seems to be made for, by its content id, datatype and the files that it
/// holds; the Python tools read anything.
Profiles detect_profiles(const std::string& content_id, const sstream::lint::Survey& survey);

/// What MAAS 3.8 takes a product for. It reads only files whose products are all of one sort.
enum MaasKind : int { maas_none = 0, maas_bootloader = 1, maas_multi = 2, maas_single = 3 };

int maas_kind_of(const sstream::lint::Product& product, const sstream::lint::Version& first);

/// Neither LXD nor Incus looks at any file but those of datatype image-downloads.
bool containers_read(const sstream::lint::ProductsFile& file);

}  // namespace meph2
