#include "service/backup_pace.h"

#include <algorithm>

namespace akidb::service {
namespace {

constexpr uint64_t kSecondUs = 1'000'000;
constexpr uint64_t kCalmAfterUs = kSecondUs;
// Half of what a short search takes: looking more often would cost what it is to save.
constexpr uint64_t kLookAgainUs = 500;

}  // namespace

bool BackupPace::is_busy(uint64_t now_us) {
    const uint64_t begun = given_.load->begun();
    if (begun != begun_ || given_.load->has_running()) {
        begun_ = begun;
        busy_until_us_ = now_us + kCalmAfterUs;
    }
    return now_us < busy_until_us_;
}

void BackupPace::wait(uint64_t bytes) {
    if (given_.load == nullptr || given_.busy_bytes_per_second == 0) {
        return;
    }
    const uint64_t now_us = given_.clock.monotonic_us();
    if (!is_busy(now_us)) {
        return;
    }
    const uint64_t cost_us = bytes * kSecondUs / given_.busy_bytes_per_second;
    if (now_us < turn_us_ && !given_.pause.wait_us(turn_us_ - now_us)) {
        return;
    }
    for (uint64_t held_us = 0; held_us < cost_us && given_.load->has_running();) {
        const uint64_t step_us = std::min(kLookAgainUs, cost_us - held_us);
        if (!given_.pause.wait_us(step_us)) {
            return;
        }
        held_us += step_us;
    }
    turn_us_ = given_.clock.monotonic_us() + cost_us;
}

Result<void> PacedFile::read_at(uint64_t offset, size_t count, std::string& out) const {
    if (count <= BackupPace::kSliceBytes) {
        return read_slice(offset, count, out);
    }
    out.clear();
    out.reserve(count);
    std::string slice;
    while (out.size() < count) {
        const size_t bytes = std::min(BackupPace::kSliceBytes, count - out.size());
        AKIDB_TRY(read_slice(offset + out.size(), bytes, slice));
        out += slice;
    }
    return {};
}

Result<void> PacedFile::read_slice(uint64_t offset, size_t count, std::string& out) const {
    if (stop_.stop_requested()) {
        return Error(Code::kUnavailable, "the server is stopping");
    }
    pace_.wait(count);
    return file_.read_at(offset, count, out);
}

}  // namespace akidb::service
