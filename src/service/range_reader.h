// RangeReader: ranges of one object in a store, those of a call side by side, for one search. Each call is a
// round trip: it takes as long as its slowest range. Who waits gives up at `until`; what was asked for is
// then read for nobody. Thread-compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backup/target.h"
#include "engine/cold_index.h"
#include "io/clock.h"
#include "io/executor.h"

namespace akidb::service {

/// One who waits looks up so often, as time may be a simulated one.
inline constexpr uint64_t kWaiterLooksUpUs = 200'000;

class RangeReader {
  public:
    struct Source {
        std::shared_ptr<backup::Target> target;
        std::string key{};
    };
    /// `until_us` by the monotonic clock. A reader that the executor does not take reads in the caller's
    /// thread.
    RangeReader(Source source, const io::Clock& clock, io::Executor& readers, uint64_t until_us)
        : source_(std::move(source)), clock_(clock), readers_(readers), until_us_(until_us) {}

    /// In order, each as long as asked. kDeadlineExceeded at `until`; else the first error of the store.
    Result<std::vector<std::string>> read(const std::vector<engine::ColdRange>& ranges);

    uint64_t round_trips() const { return round_trips_; }
    uint64_t bytes() const { return bytes_; }

  private:
    class Batch;

    const Source source_;
    const io::Clock& clock_;
    io::Executor& readers_;
    const uint64_t until_us_;
    uint64_t round_trips_ = 0;
    uint64_t bytes_ = 0;
};

}  // namespace akidb::service
