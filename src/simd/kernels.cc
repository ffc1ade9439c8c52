// Which kernels this CPU runs.
#include "simd/kernels.h"

#include <cstring>

namespace akidb::simd {

// kernels_highway.cc: the widest first, null where this CPU lacks the instructions; the oracle is not among
// them.
size_t highway_kernels(const Kernels** sets, size_t room);

size_t runnable_kernels(const Kernels* const** sets) {
    constexpr size_t kSetsMax = 8;
    struct Sets {
        const Kernels* all[kSetsMax] = {};
        size_t count = 0;
    };
    static const Sets kSets = [] {
        Sets found;
        found.count = highway_kernels(found.all, kSetsMax - 1);
        found.all[found.count++] = &scalar_kernels();
        return found;
    }();
    *sets = kSets.all;
    return kSets.count;
}

const Kernels& choose_kernels(const char* forced) {
    const Kernels* const* sets = nullptr;
    const size_t count = runnable_kernels(&sets);
    for (size_t i = 0; forced != nullptr && i < count; ++i) {
        if (std::strcmp(sets[i]->name, forced) == 0) {
            return *sets[i];
        }
    }
    return *sets[0];
}

}  // namespace akidb::simd
