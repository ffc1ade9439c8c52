#include "io/ownership.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

#include "io/posix_descriptor.h"

namespace akidb::io {
namespace {

constexpr int kDepthMax = 16;  // a data directory has five levels

std::optional<uint32_t> number_in(const std::string& text) {
    uint32_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && last == end ? std::optional(number) : std::nullopt;
}

Result<void> give(int descriptor, const std::string& path, const Owner& owner, int depth);

Result<void> give_entries(int descriptor, const std::string& path, const Owner& owner, int depth) {
    const int again = ::openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const opened = again < 0 ? nullptr : ::fdopendir(again);
    if (opened == nullptr) {
        return error_of(errno, "open", path);
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(opened, &::closedir);
    while (const dirent* entry = ::readdir(entries.get())) {
        const std::string name = entry->d_name;
        if (name == "." || name == "..") {
            continue;
        }
        const Descriptor one(
            ::openat(descriptor, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (one.get() < 0) {
            if (errno == ELOOP || errno == ENOENT || errno == ENXIO) {
                continue;  // a link, something that has gone, a socket: none of ours
            }
            return error_of(errno, "open", path + "/" + name);
        }
        if (Result<void> given = give(one.get(), path + "/" + name, owner, depth + 1); !given) {
            return given;
        }
    }
    return {};
}

Result<void> give(int descriptor, const std::string& path, const Owner& owner, int depth) {
    struct stat found {};
    if (::fstat(descriptor, &found) != 0) {
        return error_of(errno, "stat", path);
    }
    const bool is_directory = S_ISDIR(found.st_mode);
    if (is_directory && depth < kDepthMax) {
        AKIDB_TRY(give_entries(descriptor, path, owner, depth));
    }
    const bool is_ours =
        found.st_uid == 0 && (is_directory || (S_ISREG(found.st_mode) && found.st_nlink == 1));
    if (is_ours && ::fchown(descriptor, owner.user, owner.group) != 0) {
        return error_of(errno, "chown", path);
    }
    return {};
}

}  // namespace

Result<Owner> owner_of(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) {
        return error_of(errno, "stat", path);
    }
    return Owner{found.st_uid, found.st_gid};
}

Result<Owner> parse_owner(const std::string& text) {
    const auto refused = [&](const std::string& why) {
        return invalid_argument("--owner", why, "USER or USER:GROUP of this machine, by name or number");
    };
    const size_t colon = std::min(text.find(':'), text.size());
    const std::string user = text.substr(0, colon);
    const std::string group = colon < text.size() ? text.substr(colon + 1) : std::string();
    const std::optional<uint32_t> number = number_in(user);
    const passwd* const known = number ? ::getpwuid(*number) : ::getpwnam(user.c_str());
    if (user.empty() || (known == nullptr && (!number || group.empty()))) {
        return refused("there is no user '" + user + "'");
    }
    Owner owner{known == nullptr ? *number : known->pw_uid, known == nullptr ? gid_t{0} : known->pw_gid};
    if (colon == text.size()) {
        return owner;
    }
    if (const std::optional<uint32_t> group_number = number_in(group)) {
        owner.group = *group_number;
    } else if (const struct group* const named = ::getgrnam(group.c_str()); named != nullptr) {
        owner.group = named->gr_gid;
    } else {
        return refused("there is no group '" + group + "'");
    }
    return owner;
}

Result<void> give_tree(const std::string& directory, const Owner& owner) {
    if (::geteuid() != 0 || owner.user == 0) {
        return {};
    }
    const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (opened.get() < 0) {
        return error_of(errno, "open", directory);
    }
    return give(opened.get(), directory, owner, 0);
}

}  // namespace akidb::io
