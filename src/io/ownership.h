// Whose files are. What root writes into the directory of another user would be closed to that user's server,
// so it is given to him. Only what root owns is given, and no file that has a second name: whoever may write
// to the directory could have put there a link to something else. Links are not followed. Thread-safe, but
// for parse_owner().
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace akidb::io {

struct Owner {
    uid_t user = 0;
    gid_t group = 0;
    bool operator==(const Owner&) const = default;
};

Result<Owner> owner_of(const std::string& path);
/// USER or USER:GROUP, names or numbers; without a group that of the user. kInvalidArgument on field
/// "--owner".
Result<Owner> parse_owner(const std::string& text);
/// The directory with all in it. Does nothing unless the process is root's and the owner is not.
Result<void> give_tree(const std::string& directory, const Owner& owner);

}  // namespace akidb::io
