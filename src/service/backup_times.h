// BackupTimes: when backups that run themselves are due: at an interval ("30m", "6h", "1d"), from the
// beginning of one to the beginning of the next, or each day at one time, UTC ("03:30"). Immutable value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace akidb::service {

class BackupTimes {
  public:
    /// kInvalidArgument, without a field.
    static Result<BackupTimes> parse(std::string_view text);
    /// When the next is due, the last having begun at `last_ms` (milliseconds since 1970; 0: none yet).
    uint64_t next_ms(uint64_t last_ms) const;
    /// How long to wait after one that failed.
    uint64_t retry_ms() const;
    const std::string& text() const { return text_; }

  private:
    std::string text_;
    bool is_daily_ = false;
    uint64_t ms_ = 0;  // the interval, or since midnight
};

}  // namespace akidb::service
