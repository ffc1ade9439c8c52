#include "objects/retrying_store.h"

#include <algorithm>

#include "objects/forwarding_store.h"

namespace akidb::objects {
namespace {

class RetryingStore final : public ForwardingStore<RetryingStore> {
  public:
    RetryingStore(ObjectStore& store, io::Random& random, io::Pause& pause, RetryOptions options,
                  TrafficObserver* observer)
        : ForwardingStore(store), random_(random), pause_(pause), options_(options), observer_(observer) {}

    Result<void> put(const std::string& key, std::string_view bytes, PutMode mode) override {
        bool is_unknown = false;
        return around(bytes.size(), [&]() -> Result<void> {
            Result<void> outcome = store_.put(key, bytes, mode);
            if (outcome || outcome.error().code() != Code::kAlreadyExists || !is_unknown) {
                is_unknown = is_unknown || (!outcome && may_pass(outcome.error()));
                return outcome;
            }
            AKIDB_TRY(const std::string there, store_.get(key, kSinglePutBytesMax));
            return there == bytes ? Result<void>() : outcome;
        });
    }
    template <class Call>
    auto around(uint64_t /*bytes*/, Call call) -> decltype(call()) {
        for (uint32_t tried = 1;; ++tried) {
            auto outcome = call();
            if (outcome.has_value() || !may_pass(outcome.error()) || tried >= options_.tries) {
                return outcome;
            }
            const uint64_t most =
                std::min(options_.cap_us, options_.base_us << std::min<uint32_t>(tried - 1, 32));
            if (!pause_.wait_us(most == 0 ? 0 : random_.next_u64() % (most + 1))) {
                return std::move(outcome).error().with_context("stopped before another try");
            }
            if (observer_ != nullptr) {
                observer_->note_retry();
            }
        }
    }

  private:
    io::Random& random_;
    io::Pause& pause_;
    const RetryOptions options_;
    TrafficObserver* const observer_;
};

}  // namespace

std::unique_ptr<ObjectStore> make_retrying_store(ObjectStore& store, io::Random& random, io::Pause& pause,
                                                 RetryOptions options, TrafficObserver* observer) {
    return std::make_unique<RetryingStore>(store, random, pause, options, observer);
}

}  // namespace akidb::objects
