#include "objects/part_sender.h"

#include <optional>
#include <utility>

#include "base/mutex.h"

namespace akidb::objects {

struct PartSender::State {
    Mutex mutex;
    CondVar ended;
    size_t under_way AKIDB_GUARDED_BY(mutex) = 0;
    std::vector<std::string> tags AKIDB_GUARDED_BY(mutex);
    std::optional<Error> error AKIDB_GUARDED_BY(mutex);  // the first
};

/// Ends its part when it goes: also one that an executor dropped when it stopped.
class PartSender::Share {
  public:
    Share(std::shared_ptr<State> state, uint64_t number, std::string part)
        : state_(std::move(state)), number_(number), part_(std::move(part)) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() {
        MutexLock lock(state_->mutex);
        if (outcome_) {
            state_->tags[number_ - 1] = std::move(outcome_).value();
        } else if (!state_->error) {
            state_->error = outcome_.error();
        }
        --state_->under_way;
        state_->ended.notify_all();
    }
    void send(const Send& send) { outcome_ = send(number_, part_); }

  private:
    const std::shared_ptr<State> state_;
    const uint64_t number_;
    const std::string part_;
    Result<std::string> outcome_ = Error(Code::kUnavailable, "the server is stopping");
};

PartSender::PartSender(io::Executor* executor, size_t at_once, Send send)
    : executor_(executor), at_once_(at_once), send_(std::move(send)), state_(std::make_shared<State>()) {}

PartSender::~PartSender() {
    MutexLock lock(state_->mutex);
    while (state_->under_way > 0) {
        state_->ended.wait(state_->mutex);
    }
}

Result<void> PartSender::add(std::string part) {
    uint64_t number = 0;
    {
        MutexLock lock(state_->mutex);
        while (state_->under_way >= at_once_ && !state_->error) {
            state_->ended.wait(state_->mutex);
        }
        if (state_->error) {
            return *state_->error;
        }
        ++state_->under_way;
        state_->tags.emplace_back();
        number = state_->tags.size();
    }
    auto share = std::make_shared<Share>(state_, number, std::move(part));
    // This waits for all of them before it goes, so they may use what is its own.
    const auto job = [this, share](const std::stop_token&) { share->send(send_); };
    if (executor_ == nullptr || !executor_->submit("part", job)) {
        job({});
    }
    return {};
}

Result<std::vector<std::string>> PartSender::finish() {
    MutexLock lock(state_->mutex);
    while (state_->under_way > 0) {
        state_->ended.wait(state_->mutex);
    }
    if (state_->error) {
        return *state_->error;
    }
    return state_->tags;
}

}  // namespace akidb::objects
