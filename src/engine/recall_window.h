// RecallWindow: of what the last probed searches of one graph should have found, how much they found: a
// hundred of each kind of filter, none older than an hour. Made anew with each generation, so that a graph
// that was built again is judged by itself. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace akidb::engine {

/// kBroad: a tenth of the rows match, or more.
enum class FilterKind : uint8_t { kNone, kBroad, kNarrow };
inline constexpr size_t kFilterKinds = 3;
/// As metrics call it.
std::string_view name_of(FilterKind kind);

struct RecallState {
    FilterKind filter = FilterKind::kNone;
    double ratio = 0;  // of all that should have been found in these searches
    uint32_t searches = 0;
};

class RecallWindow {
  public:
    /// Of a search that should have found `wanted` > 0.
    void add(FilterKind filter, uint32_t found, uint32_t wanted, uint64_t now_us) AKIDB_EXCLUDES(mutex_);
    /// Kinds of which there are ten or more.
    std::vector<RecallState> read(uint64_t now_us) const AKIDB_EXCLUDES(mutex_);

  private:
    struct Probed {
        uint64_t at_us;
        uint32_t found;
        uint32_t wanted;
    };

    // Nothing is allocated before the first: most collections are small and have no graph.
    struct Last {
        std::vector<Probed> kept;
        size_t oldest = 0;  // once it is full
    };

    mutable Mutex mutex_;
    std::array<Last, kFilterKinds> kinds_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::engine
