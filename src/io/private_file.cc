#include "io/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "io/posix_descriptor.h"

namespace akidb::io {
namespace {

constexpr mode_t kPrivateMode = 0600;
constexpr size_t kPiece = 4096;

/// Empty when the mode keeps strangers out.
std::string why_mode_is_open(const struct stat& status) {
    if ((status.st_mode & S_IRWXO) == 0) {
        return "";
    }
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode) & 07777U);
    return "may be used by everybody (mode " + std::string(mode) + "): chmod 600";
}

}  // namespace

Result<std::string> read_private_file(const std::string& path, uint64_t bytes_max) {
    // Not O_NOFOLLOW: orchestrators mount secrets as links. Without O_NONBLOCK a named pipe would be waited
    // for.
    const Descriptor file(
        retry_interrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
    if (file.get() < 0) {
        return error_of(errno, "open", path);
    }
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) {
        return error_of(errno, "fstat", path);
    }
    if (!S_ISREG(status.st_mode)) {
        return Error(Code::kInternal, path + " is no file");
    }
    if (const std::string why = why_mode_is_open(status); !why.empty()) {
        return Error(Code::kPermissionDenied, path + " " + why);
    }
    std::string content;
    char piece[kPiece];
    while (true) {
        const ssize_t got = retry_interrupted([&] { return ::read(file.get(), piece, sizeof piece); });
        if (got < 0) {
            return error_of(errno, "read", path);
        }
        if (got == 0) {
            return content;
        }
        content.append(piece, static_cast<size_t>(got));
        if (content.size() > bytes_max) {
            return Error(Code::kDataLoss, path + " is larger than " + std::to_string(bytes_max) + " bytes");
        }
    }
}

Result<void> create_private_file(const std::string& path, std::string_view content) {
    // Under its name it is whole from the first moment on, whenever the power goes.
    const std::string unfinished = path + ".new";
    ::unlink(unfinished.c_str());  // of a start that was cut short
    const Descriptor file(retry_interrupted([&] {
        return ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kPrivateMode);
    }));
    if (file.get() < 0) {
        return error_of(errno, "create", unfinished);
    }
    while (!content.empty()) {
        const ssize_t put =
            retry_interrupted([&] { return ::write(file.get(), content.data(), content.size()); });
        if (put < 0) {
            return error_of(errno, "write", path);
        }
        content.remove_prefix(static_cast<size_t>(put));
    }
    if (::fsync(file.get()) != 0) {
        return error_of(errno, "fsync", unfinished);
    }
    // Not by a rename, which would take the place of what has the name.
    const int code = ::link(unfinished.c_str(), path.c_str()) != 0 ? errno : 0;
    ::unlink(unfinished.c_str());
    if (code != 0) {
        return error_of(code, "create", path);
    }
    const size_t slash = path.find_last_of('/');
    const std::string directory =
        slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
    const Descriptor parent(
        retry_interrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (parent.get() < 0 || ::fsync(parent.get()) != 0) {
        return error_of(errno, "fsync", directory);
    }
    return {};
}

std::string why_not_private(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return error_of(errno, "cannot be looked at: stat", path).message();
    }
    return S_ISREG(status.st_mode) ? why_mode_is_open(status) : "is no file";
}

}  // namespace akidb::io
