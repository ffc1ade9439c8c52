#include "objects/traffic.h"

namespace akidb::objects {
namespace {

class ObservedStore final : public ObjectStore {
  public:
    ObservedStore(ObjectStore& store, const io::Clock& clock, TrafficObserver& observer)
        : store_(store), clock_(clock), observer_(observer) {}

    Result<void> put(const std::string& key, std::string_view bytes, PutMode mode) override {
        return observe({.operation = Operation::kPut, .sent_bytes = bytes.size()},
                       [&] { return store_.put(key, bytes, mode); });
    }
    Result<void> put_file(const std::string& key, const FileToPut& source) override {
        return observe({.operation = Operation::kPutFile, .sent_bytes = source.bytes},
                       [&] { return store_.put_file(key, source); });
    }
    Result<std::string> get(const std::string& key, uint64_t bytes_max) override {
        return observe({.operation = Operation::kGet}, [&] { return store_.get(key, bytes_max); });
    }
    Result<std::string> get_range(const std::string& key, ByteRange range) override {
        return observe({.operation = Operation::kGetRange}, [&] { return store_.get_range(key, range); });
    }
    Result<ObjectFacts> head(const std::string& key) override {
        return observe({.operation = Operation::kHead}, [&] { return store_.head(key); });
    }
    Result<ObjectPage> list(const ListRequest& request) override {
        return observe({.operation = Operation::kList}, [&] { return store_.list(request); });
    }
    Result<void> remove(const std::string& key) override {
        return observe({.operation = Operation::kRemove}, [&] { return store_.remove(key); });
    }

  private:
    static uint64_t received(const Result<std::string>& outcome) { return outcome ? outcome->size() : 0; }
    template <class Other>
    static uint64_t received(const Other&) {
        return 0;
    }

    template <class Call>
    auto observe(EndedRequest request, Call call) -> decltype(call()) {
        const uint64_t began_us = clock_.monotonic_us();
        auto outcome = call();
        request.duration_us = clock_.monotonic_us() - began_us;
        request.received_bytes = received(outcome);
        if (!outcome.has_value()) {
            request.outcome = may_pass(outcome.error()) ? TrafficOutcome::kFailed : TrafficOutcome::kRefused;
            request.sent_bytes = 0;
        }
        observer_.note_ended(request);
        return outcome;
    }

    ObjectStore& store_;
    const io::Clock& clock_;
    TrafficObserver& observer_;
};

}  // namespace

std::unique_ptr<ObjectStore> make_observed_store(ObjectStore& store, const io::Clock& clock,
                                                 TrafficObserver& observer) {
    return std::make_unique<ObservedStore>(store, clock, observer);
}

}  // namespace akidb::objects
