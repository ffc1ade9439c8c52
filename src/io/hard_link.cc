#include "io/hard_link.h"

#include "io/posix_descriptor.h"

namespace akidb::io {

Result<bool> try_hard_link(const std::string& from, const std::string& to) {
    if (::link(from.c_str(), to.c_str()) == 0) {
        return true;
    }
    switch (errno) {
        case EPERM:
        case EXDEV:
        case EMLINK:
        case ENOSYS:
        case EOPNOTSUPP:
            return false;
        default:
            return error_of(errno, "link", to);
    }
}

}  // namespace akidb::io
