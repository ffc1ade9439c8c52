// Pages: zeroed memory straight from the system, that costs nothing until it is touched and never moves.
// Large pages make scattered reads 1.1 to 1.7 times faster (index design §3.2), at the price of 2 MiB for the
// first byte. Running out of memory ends the process, as it does everywhere else in it. Thread-compatible.
#pragma once

#include <cstddef>
#include <utility>

namespace akidb::index {

inline constexpr size_t kLargePageBytes = size_t{2} << 20;

class Pages {
  public:
    enum class Size { kSmall, kLarge };

    Pages() = default;
    /// kLarge: aligned to 2 MiB, with 2 MiB pages where the system has them.
    Pages(size_t bytes, Size size);
    ~Pages();
    Pages(Pages&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Pages& operator=(Pages&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }

    void* data() const { return data_; }

  private:
    void* data_ = nullptr;
    size_t bytes_ = 0;
};

}  // namespace akidb::index
