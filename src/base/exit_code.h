// ExitCode: how every verb of the binary ends, after sysexits.h where that has a fitting one. Scripts and
// service managers rely on these. Constants.
#pragma once

namespace akidb {

enum class ExitCode : int {
    kClean = 0,
    kUsage = 64,          // the command line is wrong
    kInternal = 70,       // a fault of ours, or a request that the server refused
    kIo = 74,             // disk or network; also damaged files, and a log that could not be made durable
    kLockHeld = 75,       // another process has the data directory
    kConfiguration = 78,  // settings that cannot be used; every fault was printed
};

}  // namespace akidb
