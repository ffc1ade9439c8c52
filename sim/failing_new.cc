#include "sim/failing_new.h"

#include <cstdlib>
#include <new>

namespace akidb::sim {
namespace {

uint64_t successes_left = UINT64_MAX;

}  // namespace

void fail_allocation_after(uint64_t successes) {
    successes_left = successes;
}

static void* allocate(size_t bytes) {
    if (successes_left != UINT64_MAX && successes_left-- == 0) {
        successes_left = UINT64_MAX;
        throw std::bad_alloc();
    }
    void* memory = std::malloc(bytes == 0 ? 1 : bytes);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

}  // namespace akidb::sim

void* operator new(size_t bytes) {
    return akidb::sim::allocate(bytes);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
    std::free(memory);
}
