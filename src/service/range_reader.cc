#include "service/range_reader.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/mutex.h"

namespace akidb::service {

/// Shared with the jobs, which may outlive who waits.
class RangeReader::Batch {
  public:
    Batch(Source source, std::vector<engine::ColdRange> ranges)
        : source_(std::move(source)),
          ranges_(std::move(ranges)),
          parts_(ranges_.size()),
          left_(ranges_.size()) {}

    /// Ends one of the ranges when it goes: also of a job that an executor dropped when it stopped.
    class Share {
      public:
        Share(std::shared_ptr<Batch> batch, size_t number) : batch_(std::move(batch)), number_(number) {}
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        ~Share() { batch_->end(number_, std::move(outcome_)); }
        void read() {
            if (!batch_->has_failed()) {
                const engine::ColdRange& range = batch_->ranges_[number_];
                outcome_ = batch_->source_.target->store().get_range(batch_->source_.key,
                                                                     {range.offset, range.count});
            }
        }

      private:
        std::shared_ptr<Batch> batch_;
        const size_t number_;
        Result<std::string> outcome_ = Error(Code::kUnavailable, "the server is stopping");
    };

    Result<std::vector<std::string>> wait(const io::Clock& clock, uint64_t until_us) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        while (left_ > 0 && !error_) {
            const uint64_t now_us = clock.monotonic_us();
            if (now_us >= until_us) {
                error_ = Error(Code::kDeadlineExceeded, "the object store did not answer in time");
                break;
            }
            ended_.wait_for(mutex_, std::chrono::microseconds(std::min(kWaiterLooksUpUs, until_us - now_us)));
        }
        if (error_) {
            return Error(*error_);
        }
        return std::move(parts_);
    }

  private:
    void end(size_t number, Result<std::string> outcome) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        if (outcome) {
            parts_[number] = std::move(outcome).value();
        } else if (!error_) {
            error_ = std::move(outcome).error();
        }
        --left_;
        ended_.notify_all();
    }
    bool has_failed() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return error_.has_value();
    }

    const Source source_;
    const std::vector<engine::ColdRange> ranges_;
    Mutex mutex_;
    CondVar ended_;
    std::vector<std::string> parts_ AKIDB_GUARDED_BY(mutex_);
    size_t left_ AKIDB_GUARDED_BY(mutex_);
    std::optional<Error> error_ AKIDB_GUARDED_BY(mutex_);
};

Result<std::vector<std::string>> RangeReader::read(const std::vector<engine::ColdRange>& ranges) {
    ++round_trips_;
    const auto batch = std::make_shared<Batch>(source_, ranges);
    for (size_t number = 0; number < ranges.size(); ++number) {
        auto share = std::make_shared<Batch::Share>(batch, number);
        if (!readers_.submit("range", [share](const std::stop_token&) { share->read(); })) {
            share->read();
        }
    }
    AKIDB_TRY(std::vector<std::string> parts, batch->wait(clock_, until_us_));
    for (const std::string& part : parts) {
        bytes_ += part.size();
    }
    return parts;
}

}  // namespace akidb::service
