#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meph2::image {

/// A range of ids that an account may give to the processes of its user namespaces.
struct SubordinateIds {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// The first range of `user` (or of its number) that is long enough for an image, in the text of
/// /etc/subuid or /etc/subgid (subuid(5): NAME-OR-ID:FIRST:COUNT).
std::optional<SubordinateIds> find_subordinate_ids(std::string_view text, const std::string& user,
                                                   std::uint32_t id);

/// Whether a kernel ("6.1.0-56-amd64", uname -r) is of this version or a later one; true for a name
/// that cannot be read.
bool kernel_is_at_least(const std::string& release, std::uint64_t major, std::uint64_t minor);

/// What this machine has for a build without root.
struct UnprivilegedFacts {
  std::string user;
  std::uint32_t uid = 0;
  std::string subuid;  ///< text of /etc/subuid
  std::string subgid;  ///< text of /etc/subgid
  bool newuidmap = false;
  bool newgidmap = false;
  std::string kernel;                            ///< uname -r
  std::optional<std::uint64_t> most_namespaces;  ///< user.max_user_namespaces
  std::optional<std::uint64_t> debian_switch;    ///< kernel.unprivileged_userns_clone
  std::optional<std::uint64_t> apparmor_switch;  ///< kernel.apparmor_restrict_unprivileged_userns
  bool apparmor_profile = false;                 ///< a profile of its own confines the builder
  bool fuse = false;                             ///< squashfuse, and /dev/fuse that may be opened
  bool unsquashfs = false;
};

UnprivilegedFacts read_unprivileged_facts();

/// Each thing that is missing, with the package or file to mend; empty where a build can be tried.
std::vector<std::string> missing_for_unprivileged(const UnprivilegedFacts& facts);

/// Argument of the program by which exec_in_user_namespace has itself started again.
inline constexpr const char* user_namespace_option = "--in-user-namespace";

/// How enter_users() went.
struct Entered {
  int error = 0;        ///< errno where there is no namespace; 0: we are within
  bool mapped = false;  ///< its ids are
};

/// Enters a new user namespace, and what else `flags` of unshare(2) name. `map` maps its ids, in a
/// child that stays outside, because only who is outside may map more than one; `mapper` is what
/// messages call that. To be called with one thread.
Entered enter_users(int flags, const char* mapper, const std::function<bool()>& map);

/// Whether squashfuse_ll is there, and /dev/fuse may be opened.
bool has_fuse();

/// Replaces this process by the same program with the same arguments, as uid 0 of a user namespace:
/// 0 is the account itself, 1 to 65535 are its subordinate ids. Error(refused) names what is
/// missing for that. `argv` is main's.
[[noreturn]] void exec_in_user_namespace(const std::vector<std::string>& argv);

/// The other side, to be called with one thread: enters the namespace. Throws Error(refused).
void enter_user_namespace();

/// Ranges of user ids that there are in our user namespace.
std::vector<SubordinateIds> mapped_users();

/// Whether our user namespace is such as enter_user_namespace() makes: its map says so, whatever
/// the environment does.
bool in_user_namespace();

}  // namespace meph2::image
