// Pages: zeroed memory straight from the system, that costs nothing until it is touched and never moves.
// Large pages make scattered reads 1.1 to 1.7 times faster (index design §3.2), at the price of 2 MiB for the
// first byte. Running out of memory ends the process, as it does everywhere else in it. Thread-compatible.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace akidb::index {

inline constexpr size_t kLargePageBytes = size_t{2} << 20;

/// For memory whose size is known and that all will be used: as much of it in large pages as fills them, the
/// rest in small ones, so that none is wasted. Not zeroed. Null when there is none.
std::byte* allocate_large(size_t bytes) noexcept;
void free_large(std::byte* data) noexcept;

struct FreeLarge {
    void operator()(std::byte* data) const noexcept { free_large(data); }
};
using LargeBlock = std::unique_ptr<std::byte, FreeLarge>;

/// For a std::vector that may grow large.
template <class T>
struct LargeAllocator {
    using value_type = T;

    LargeAllocator() = default;
    template <class U>
    explicit LargeAllocator(const LargeAllocator<U>&) {}

    T* allocate(size_t count) {
        if (!is_large(count)) {
            return std::allocator<T>().allocate(count);
        }
        std::byte* const data = allocate_large(count * sizeof(T));
        return data != nullptr ? reinterpret_cast<T*>(data) : throw std::bad_alloc();
    }
    void deallocate(T* data, size_t count) noexcept {
        if (is_large(count)) {
            free_large(reinterpret_cast<std::byte*>(data));
        } else {
            std::allocator<T>().deallocate(data, count);
        }
    }
    bool operator==(const LargeAllocator&) const = default;

  private:
    static bool is_large(size_t count) { return count * sizeof(T) >= 2 * kLargePageBytes; }
};

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
