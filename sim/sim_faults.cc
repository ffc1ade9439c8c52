// The faults that a SimFileSystem can make: which call can have which, and what the caller gets.
#include <utility>

#include "sim/sim_tree.h"

namespace akidb::sim {

bool applies(Fault fault, Verb verb, uint64_t bytes, bool needs_space) {
    if (!can_have(verb, fault)) {
        return false;
    }
    switch (fault) {
        case Fault::kDiskFull:
        case Fault::kQuota:
            return needs_space;
        case Fault::kShortWrite:
        case Fault::kFlippedBit:
        case Fault::kMisdirectedRead:
            return bytes > 0 || verb == Verb::kMap;
        default:
            return true;
    }
}

Error fault_error(Fault fault, std::string_view call, const std::string& path) {
    switch (fault) {
        case Fault::kDiskFull:
            return sim_error(Code::kDiskFull, call, path, "No space left on device");
        case Fault::kQuota:
            return sim_error(Code::kDiskFull, call, path, "Disk quota exceeded");
        case Fault::kReadOnly:
            return sim_error(Code::kInternal, call, path, "Read-only file system");
        case Fault::kTooManyFiles:
            return sim_error(Code::kUnavailable, call, path, "Too many open files");
        case Fault::kInterrupted:
            return sim_error(Code::kInternal, call, path, "Interrupted system call");
        default:
            return sim_error(Code::kInternal, call, path, "Input/output error");
    }
}

const char* name_of(Fault fault) {
    constexpr const char* kNames[] = {"EIO",          "ENOSPC",      "failed fsync",    "short write",
                                      "EDQUOT",       "EROFS",       "EMFILE",          "EINTR",
                                      "failed close", "flipped bit", "misdirected read"};
    return kNames[static_cast<size_t>(fault)];
}

bool can_have(Verb verb, Fault fault) {
    const bool makes = verb == Verb::kCreate || verb == Verb::kPreallocate || verb == Verb::kRename ||
                       verb == Verb::kMakeDirectory || verb == Verb::kLock;
    switch (fault) {
        case Fault::kIoError:
        case Fault::kInterrupted:
            return true;
        case Fault::kDiskFull:
        case Fault::kQuota:
            return makes || verb == Verb::kAppend;
        case Fault::kFailedSync:
            return verb == Verb::kSync || verb == Verb::kSyncDirectory;
        case Fault::kShortWrite:
            return verb == Verb::kAppend;
        case Fault::kReadOnly:
            return mutates(verb) && verb != Verb::kClose;
        case Fault::kTooManyFiles:
            return verb == Verb::kCreate || verb == Verb::kOpenRead || verb == Verb::kMap ||
                   verb == Verb::kList || verb == Verb::kLock || verb == Verb::kSyncDirectory;
        case Fault::kFailedClose:
            return verb == Verb::kClose;
        case Fault::kFlippedBit:
        case Fault::kMisdirectedRead:
            return verb == Verb::kRead || verb == Verb::kMap;
    }
    return false;
}

std::string SimFileSystem::spoilt(std::string bytes, Fault fault) {
    if (bytes.empty()) {
        return bytes;
    }
    if (fault == Fault::kFlippedBit) {
        char& byte = bytes[dice_.below(bytes.size())];
        byte = static_cast<char>(byte ^ (1 << dice_.below(8)));
        return bytes;
    }
    constexpr size_t kSectorBytes = 512;
    const size_t to = dice_.below(bytes.size()) / kSectorBytes * kSectorBytes;
    const size_t from = dice_.below(bytes.size()) / kSectorBytes * kSectorBytes;
    const std::string sector = bytes.substr(from, std::min(kSectorBytes, bytes.size() - to));
    return bytes.replace(to, sector.size(), sector);
}

}  // namespace akidb::sim
