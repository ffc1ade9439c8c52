// A library to preload into the server: fdatasync fails with EIO while the file that SYNC_FAILS_WHILE names
// is there, as on a disk that reports a lost write, and takes 300 ms while the one of SYNC_TAKES_300_MS_WHILE
// is.
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

bool is_there(const char* variable) {
    const char* const path = std::getenv(variable);
    return path != nullptr && access(path, F_OK) == 0;
}

}  // namespace

extern "C" int fdatasync(int descriptor) {
    if (is_there("SYNC_FAILS_WHILE")) {
        errno = EIO;
        return -1;
    }
    if (is_there("SYNC_TAKES_300_MS_WHILE")) {
        usleep(300'000);
    }
    using Call = int (*)(int);
    static const auto next = reinterpret_cast<Call>(dlsym(RTLD_NEXT, "fdatasync"));
    return next(descriptor);
}
