#include "engine/recall_window.h"

#include <utility>

namespace akidb::engine {
namespace {

// A hundred searches for ten documents tell 0.97 from 0.93; fewer than ten tell nothing.
constexpr size_t kSearchesKept = 100;
constexpr size_t kSearchesMin = 10;
constexpr uint64_t kKeptUs = uint64_t{3600} * 1'000'000;

}  // namespace

std::string_view name_of(FilterKind kind) {
    constexpr std::array<std::string_view, kFilterKinds> kNames{"none", "broad", "narrow"};
    return kNames[static_cast<size_t>(kind)];
}

void RecallWindow::add(FilterKind filter, uint32_t found, uint32_t wanted, uint64_t now_us) {
    MutexLock lock(mutex_);
    Last& last = kinds_[static_cast<size_t>(filter)];
    const Probed probed{now_us, found, wanted};
    if (last.kept.size() < kSearchesKept) {
        last.kept.push_back(probed);
    } else {
        last.kept[std::exchange(last.oldest, (last.oldest + 1) % kSearchesKept)] = probed;
    }
}

std::vector<RecallState> RecallWindow::read(uint64_t now_us) const {
    MutexLock lock(mutex_);
    std::vector<RecallState> states;
    for (size_t kind = 0; kind < kFilterKinds; ++kind) {
        uint64_t found = 0;
        uint64_t wanted = 0;
        uint32_t searches = 0;
        for (const Probed& probed : kinds_[kind].kept) {
            if (now_us - probed.at_us <= kKeptUs) {
                found += probed.found;
                wanted += probed.wanted;
                ++searches;
            }
        }
        if (searches >= kSearchesMin) {
            states.push_back({static_cast<FilterKind>(kind),
                              static_cast<double>(found) / static_cast<double>(wanted), searches});
        }
    }
    return states;
}

}  // namespace akidb::engine
