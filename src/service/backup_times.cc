#include "service/backup_times.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/printable.h"

namespace akidb::service {
namespace {

constexpr uint64_t kSecondMs = 1000;
constexpr uint64_t kMinuteMs = 60 * kSecondMs;
constexpr uint64_t kHourMs = 60 * kMinuteMs;
constexpr uint64_t kWholeDayMs = 24 * kHourMs;
constexpr uint64_t kRetryMs = 10 * kMinuteMs;
constexpr uint64_t kIntervalMsMax = 366 * kWholeDayMs;
constexpr size_t kDigitsMax = 8;

std::optional<uint64_t> number(std::string_view text) {
    uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, value);
    const bool is_whole = fault == std::errc() && stop == end && !text.empty() && text.size() <= kDigitsMax;
    return is_whole ? std::optional(value) : std::nullopt;
}

uint64_t unit_ms(char letter) {
    switch (letter) {
        case 's':
            return kSecondMs;
        case 'm':
            return kMinuteMs;
        case 'h':
            return kHourMs;
        case 'd':
            return kWholeDayMs;
        default:
            return 0;
    }
}

}  // namespace

Result<BackupTimes> BackupTimes::parse(std::string_view text) {
    BackupTimes times;
    times.text_ = text;
    const size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
        const std::optional<uint64_t> hour = number(text.substr(0, colon));
        const std::optional<uint64_t> minute = number(text.substr(colon + 1));
        if (text.size() == 5 && colon == 2 && hour && minute && *hour < 24 && *minute < 60) {
            times.is_daily_ = true;
            times.ms_ = *hour * kHourMs + *minute * kMinuteMs;
            return times;
        }
    } else if (!text.empty()) {
        const std::optional<uint64_t> count = number(text.substr(0, text.size() - 1));
        times.ms_ = count.value_or(0) * unit_ms(text.back());
        if (times.ms_ > 0 && times.ms_ <= kIntervalMsMax) {
            return times;
        }
    }
    return Error(Code::kInvalidArgument, "'" + printable(text) + "' is no schedule")
        .with_allowed("an interval up to 366d (30m, 6h, 1d), or a time of day in UTC (03:30)");
}

uint64_t BackupTimes::next_ms(uint64_t last_ms) const {
    if (last_ms == 0) {
        return 0;
    }
    if (!is_daily_) {
        return last_ms + ms_;
    }
    const uint64_t today = last_ms - last_ms % kWholeDayMs + ms_;
    return today > last_ms ? today : today + kWholeDayMs;
}

uint64_t BackupTimes::retry_ms() const {
    return is_daily_ ? kRetryMs : std::min(kRetryMs, ms_);
}

}  // namespace akidb::service
