// What the tests of object stores share: time that passes when somebody waits for it, a store that fails as
// it is told to, and a file that is a text. For tests only; thread-compatible but for the clock.
#pragma once

#include <atomic>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "io/clock.h"
#include "io/file_system.h"
#include "io/pause.h"
#include "objects/forwarding_store.h"
#include "objects/object_store.h"

namespace akidb::objects {

class PassingTime final : public io::Clock, public io::Pause {
  public:
    uint64_t monotonic_us() const override { return now_us_; }
    uint64_t unix_ms() const override { return 1'700'000'000'000 + now_us_ / 1000; }
    bool wait_us(uint64_t duration_us) override {
        if (is_stopped_) {
            return false;
        }
        waits_.push_back(duration_us);
        now_us_ += duration_us;
        return true;
    }
    void stop() override { is_stopped_ = true; }

    void pass_us(uint64_t duration_us) { now_us_ += duration_us; }
    const std::vector<uint64_t>& waits() const { return waits_; }

  private:
    std::atomic<uint64_t> now_us_{1'000'000};
    bool is_stopped_ = false;
    std::vector<uint64_t> waits_;
};

class TextFile final : public io::ReadFile {
  public:
    explicit TextFile(std::string text) : text_(std::move(text)) {}
    uint64_t size() const override { return text_.size(); }
    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override {
        out = text_.substr(offset, count);
        return {};
    }

  private:
    const std::string text_;
};

/// One fault a call, in turn, until none is left. kBefore: the call does nothing; kAfter: it is done, and its
/// answer lost.
enum class When : uint8_t { kBefore, kAfter };
struct Fault {
    Code code;
    When when = When::kBefore;
};

class FaultyStore final : public ForwardingStore<FaultyStore> {
  public:
    explicit FaultyStore(ObjectStore& store) : ForwardingStore(store) {}
    void plan(std::deque<Fault> faults) { faults_ = std::move(faults); }
    size_t calls() const { return calls_; }

    template <class Call>
    auto around(uint64_t /*bytes*/, Call call) -> decltype(call()) {
        ++calls_;
        if (faults_.empty()) {
            return call();
        }
        const Fault fault = faults_.front();
        faults_.pop_front();
        if (fault.when == When::kAfter) {
            static_cast<void>(call().has_value());
        }
        return Error(fault.code, "planned");
    }

  private:
    std::deque<Fault> faults_;
    size_t calls_ = 0;
};

}  // namespace akidb::objects
