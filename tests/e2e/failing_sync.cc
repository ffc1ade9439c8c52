// A library to preload into the server: fdatasync fails with EIO while the file that SYNC_FAILS_WHILE names
// is there, as on a disk that reports a lost write.
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

extern "C" int fdatasync(int descriptor) {
    const char* const trigger = std::getenv("SYNC_FAILS_WHILE");
    if (trigger != nullptr && access(trigger, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    using Call = int (*)(int);
    static const auto next = reinterpret_cast<Call>(dlsym(RTLD_NEXT, "fdatasync"));
    return next(descriptor);
}
