#include "service/lifecycle.h"

namespace akidb::service {

Lifecycle::Lifecycle(const io::Clock& clock) : clock_(clock), started_us_(clock.monotonic_us()) {}

void Lifecycle::attach(const Directory& directory) {
    directory_.store(&directory, std::memory_order_release);
}

void Lifecycle::detach() {
    directory_.store(nullptr, std::memory_order_release);
}

void Lifecycle::attach_disk(const storage::DiskSpace& disk) {
    disk_.store(&disk, std::memory_order_release);
}

void Lifecycle::begin_draining() {
    draining_.store(true);
}

bool Lifecycle::is_draining() const {
    return draining_.load();
}

bool Lifecycle::is_started() const {
    const Directory* directory = directory_.load(std::memory_order_acquire);
    return directory != nullptr && directory->progress().finished;
}

Readiness Lifecycle::readiness() const {
    Readiness readiness;
    const Directory* directory = directory_.load(std::memory_order_acquire);
    if (directory != nullptr) {
        readiness.progress = directory->progress();
        readiness.quarantined = directory->quarantined();
    }
    if (const storage::DiskSpace* disk = disk_.load(std::memory_order_acquire); disk != nullptr) {
        readiness.disk = disk->level();
    }
    if (draining_.load()) {
        readiness.reason = "draining";
    } else if (!readiness.progress.finished) {
        readiness.reason = "loading_collections";
    } else if (directory->has_poisoned()) {
        readiness.reason = "log_poisoned";
    }
    readiness.is_ready = readiness.reason.empty();
    return readiness;
}

uint64_t Lifecycle::uptime_s() const {
    return (clock_.monotonic_us() - started_us_) / 1'000'000;
}

}  // namespace akidb::service
