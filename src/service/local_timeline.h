// LocalTimeline: which timeline of the archived log a data directory writes, and whose it is: DATA/TIMELINE,
// one line
// "<timeline> <owner>". A copy of the directory has another owner, so it begins another timeline. Values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace akidb::service {

inline constexpr const char* kTimelineName = "TIMELINE";
inline constexpr uint64_t kTimelineBytesMax = 256;

struct LocalTimeline {
    Uuid id;
    Uuid owner;
};

inline std::string encode_timeline(const LocalTimeline& timeline) {
    return timeline.id.to_string() + " " + timeline.owner.to_string() + "\n";
}

inline std::optional<LocalTimeline> parse_timeline(std::string_view text) {
    constexpr size_t kIdLetters = 36;
    if (text.size() < 2 * kIdLetters + 1 || text[kIdLetters] != ' ') {
        return std::nullopt;
    }
    const auto id = Uuid::parse(text.substr(0, kIdLetters));
    const auto owner = Uuid::parse(text.substr(kIdLetters + 1, kIdLetters));
    return id && owner ? std::optional(LocalTimeline{*id, *owner}) : std::nullopt;
}

}  // namespace akidb::service
