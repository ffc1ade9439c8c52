#include "model/moment.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace akidb::model {
namespace {

/// Takes a text apart from its front; stays failed after the first fault.
class Parts {
  public:
    explicit Parts(std::string_view text) : rest_(text) {}

    int64_t digits(size_t count) {
        int64_t value = 0;
        for (size_t i = 0; i < count; ++i) {
            value = value * 10 + digit();
        }
        return value;
    }
    void expect(char wanted) { is_good_ = take() == wanted && is_good_; }
    char take() {
        if (rest_.empty()) {
            is_good_ = false;
            return '\0';
        }
        const char first = rest_.front();
        rest_.remove_prefix(1);
        return first;
    }
    /// Of a second, after its dot.
    int64_t microseconds() {
        int64_t value = digit();
        int64_t scale = 100'000;
        value *= scale;
        while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
            scale /= 10;
            value += scale * digit();
        }
        return value;
    }
    bool next_is(char letter) const { return !rest_.empty() && rest_.front() == letter; }
    bool is_at_end() const { return is_good_ && rest_.empty(); }

  private:
    int64_t digit() {
        const char letter = take();
        is_good_ = is_good_ && letter >= '0' && letter <= '9';
        return is_good_ ? letter - '0' : 0;
    }

    std::string_view rest_;
    bool is_good_ = true;
};

struct Offset {
    int64_t minutes = 0;
    bool is_valid = false;
};

Offset read_offset(Parts& parts) {
    const char sign = parts.take();
    if (sign == 'Z' || sign == 'z') {
        return {0, true};
    }
    const int64_t hours = parts.digits(2);
    parts.expect(':');
    const int64_t minutes = parts.digits(2);
    return {(sign == '-' ? -1 : 1) * (hours * 60 + minutes),
            (sign == '+' || sign == '-') && hours < 24 && minutes < 60};
}

}  // namespace

std::optional<int64_t> parse_moment(std::string_view text) {
    namespace chrono = std::chrono;
    Parts parts(text);
    const auto year = static_cast<int>(parts.digits(4));
    parts.expect('-');
    const auto month = static_cast<unsigned>(parts.digits(2));
    parts.expect('-');
    const auto day = static_cast<unsigned>(parts.digits(2));
    const char between = parts.take();
    const int64_t hour = parts.digits(2);
    parts.expect(':');
    const int64_t minute = parts.digits(2);
    parts.expect(':');
    const int64_t second = parts.digits(2);
    int64_t fraction = 0;
    if (parts.next_is('.')) {
        parts.expect('.');
        fraction = parts.microseconds();
    }
    const Offset offset = read_offset(parts);
    const chrono::year_month_day date{chrono::year(year), chrono::month(month), chrono::day(day)};
    const bool is_time = hour < 24 && minute < 60 && second <= 60 && offset.is_valid;
    if (!parts.is_at_end() || !date.ok() || !is_time ||
        (between != 'T' && between != 't' && between != ' ')) {
        return std::nullopt;
    }
    const int64_t days = chrono::sys_days(date).time_since_epoch().count();
    const int64_t seconds = ((days * 24 + hour) * 60 + minute - offset.minutes) * 60 + second;
    return seconds * 1'000'000 + fraction;
}

std::string rfc3339(uint64_t unix_ms) {
    // Beyond the year 9999 the form does not hold; a clock that wrong is shown as the last moment that it can
    // name.
    constexpr uint64_t kLastMs = 253'402'300'799'999;
    std::chrono::milliseconds since_1970(static_cast<int64_t>(std::min(unix_ms, kLastMs)));
    std::chrono::sys_days day =
        std::chrono::floor<std::chrono::days>(std::chrono::sys_time<std::chrono::milliseconds>(since_1970));
    std::chrono::year_month_day date(day);
    std::chrono::hh_mm_ss time(since_1970 - day.time_since_epoch());
    std::array<char, 40> text;
    int length =
        std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int(date.year()),
                      unsigned(date.month()), unsigned(date.day()), static_cast<int>(time.hours().count()),
                      static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                      static_cast<int>(time.subseconds().count()));
    return std::string(text.data(), static_cast<size_t>(length));
}

}  // namespace akidb::model
