// What the tests of this room share: a collector within the process, which answers as it is told and keeps
// what it was sent. For tests only; thread-safe.
#pragma once

#include <gtest/gtest.h>
#include <otlp_for_tests.pb.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "io/http_client.h"

namespace akidb::tracing {

class CollectorForTests final : public io::HttpClient {
  public:
    /// For the next requests; then 200.
    void plan(std::vector<io::HttpReply> replies) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        planned_.insert(planned_.end(), replies.begin(), replies.end());
    }
    /// Requests are not answered until they are stopped.
    void fall_silent() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        is_silent_ = true;
    }
    void wait_for_requests(size_t count) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        while (requests_ < count) {
            came_.wait(mutex_);
        }
    }
    size_t requests() const AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return requests_;
    }
    std::vector<otlp::Span> spans() const AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return spans_;
    }
    std::vector<std::pair<std::string, std::string>> headers() const AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return headers_;
    }

    Result<io::HttpReply> send(const io::HttpRequest& request) override AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        ++requests_;
        headers_ = request.headers;
        came_.notify_all();
        while (is_silent_ && !request.stop.stop_requested()) {
            came_.wait_for(mutex_, std::chrono::milliseconds(1));
        }
        if (is_silent_) {
            return Error(Code::kUnavailable, "stopped");
        }
        io::HttpReply reply{.status = 200};
        if (!planned_.empty()) {
            reply = std::move(planned_.front());
            planned_.pop_front();
        }
        otlp::ExportRequest read;
        EXPECT_TRUE(read.ParseFromArray(request.body.data(), static_cast<int>(request.body.size())));
        for (const otlp::ResourceSpans& of_resource : read.resource_spans()) {
            for (const otlp::ScopeSpans& of_scope : of_resource.scope_spans()) {
                if (reply.status == 200) {
                    spans_.insert(spans_.end(), of_scope.spans().begin(), of_scope.spans().end());
                }
            }
        }
        return reply;
    }

  private:
    mutable Mutex mutex_;
    CondVar came_;
    std::deque<io::HttpReply> planned_ AKIDB_GUARDED_BY(mutex_);
    bool is_silent_ AKIDB_GUARDED_BY(mutex_) = false;
    size_t requests_ AKIDB_GUARDED_BY(mutex_) = 0;
    std::vector<otlp::Span> spans_ AKIDB_GUARDED_BY(mutex_);
    std::vector<std::pair<std::string, std::string>> headers_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace akidb::tracing
