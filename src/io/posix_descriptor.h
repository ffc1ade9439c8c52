// What the files of PosixFileSystem share: a file descriptor that closes itself, calls that go on after
// EINTR, and errno as an Error. Private to src/io. error_of is thread-safe; a Descriptor is
// thread-compatible. Closing here is silent and makes nothing durable: who needs to know calls close on
// release()'s number.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace akidb::io {

inline constexpr size_t kCallMax = size_t{1} << 30;  // Linux moves at most 2 GiB - 4 KiB a call

inline Error error_of(int number, std::string_view call, const std::string& path) {
    Code code = Code::kInternal;
    switch (number) {
        case ENOENT:
            code = Code::kNotFound;
            break;
        case EEXIST:
            code = Code::kAlreadyExists;
            break;
        case ENOSPC:
        case EDQUOT:
            code = Code::kDiskFull;
            break;
        case EMFILE:
        case ENFILE:
            code = Code::kUnavailable;
            break;
        default:
            break;
    }
    std::string message(call);
    message.append(" ").append(path).append(": ").append(std::generic_category().message(number));
    return Error(code, std::move(message));
}

template <class Call>
auto retry_interrupted(Call call) {
    auto outcome = call();
    while (outcome < 0 && errno == EINTR) {
        outcome = call();
    }
    return outcome;
}

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;

    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }

  private:
    int number_;
};

}  // namespace akidb::io
