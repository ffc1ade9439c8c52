// StreamTurn: the right to touch a stream, which goes from thread to thread with its work; a stream has one
// at a time, or an operation of gRPC under way, or has ended. Dropped unused (by an executor that stops) it
// ends the stream. guarded() runs a part of the work: whatever goes wrong in it ends the stream, unless the
// turn was taken on the way, as then another thread may have ended it. `Stream` has head_ and end().
// Thread-compatible.
#pragma once

#include <atomic>
#include <exception>
#include <utility>

#include "rpc/call_head.h"

namespace akidb::rpc {

/// gRPC calls OnReadDone and OnWriteDone after what was done before StartRead and StartWrite; this says so
/// where ThreadSanitizer can see it, as it does not see into gRPC.
class StreamHandover {
  public:
    void leave() { left_.store(true, std::memory_order_release); }        // pairs with enter()
    bool enter() const { return left_.load(std::memory_order_acquire); }  // pairs with leave()

  private:
    std::atomic<bool> left_{false};
};

template <class Stream>
class StreamTurn {
  public:
    explicit StreamTurn(Stream& stream) : stream_(&stream) {}
    StreamTurn(const StreamTurn&) = delete;
    StreamTurn& operator=(const StreamTurn&) = delete;
    ~StreamTurn() {
        if (stream_ != nullptr) {
            const Error stopping = Error(Code::kUnavailable, "the server is stopping").with_retry_after(1);
            stream_->end(&stopping);
        }
    }

    /// Once.
    Stream* take() { return std::exchange(stream_, nullptr); }

    template <class Act>
    void guarded(Act act) {
        try {
            if (Result<void> done = act(); !done && stream_ != nullptr) {
                stream_->head_.log_fault(done.error());
                take()->end(&done.error());
            }
        } catch (const std::exception& fault) {
            if (stream_ != nullptr) {
                const Error error = stream_->head_.log_exception(fault.what());
                take()->end(&error);
            }
        }
    }

  private:
    Stream* stream_;
};

}  // namespace akidb::rpc
