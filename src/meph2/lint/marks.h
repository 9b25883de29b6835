#pragma once

#include "meph2/lint/profiles.h"

/// The profiles as the rows of the rules write them.
namespace meph2::rules::marks {

inline constexpr Profiles m8 = profile::maas;
inline constexpr Profiles mc = profile::maas_classic;
inline constexpr Profiles lx = profile::lxd;
inline constexpr Profiles in = profile::incus;
inline constexpr Profiles ju = profile::juju;
inline constexpr Profiles ss = profile::simplestreams;
inline constexpr Profiles all = m8 | mc | lx | in | ju | ss;

}  // namespace meph2::rules::marks
