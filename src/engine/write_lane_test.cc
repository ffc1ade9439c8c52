#include "engine/write_lane.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <thread>

namespace akidb::engine {
namespace {

TEST(WriteLane, CommitsEachWriteOnceInGroupsThatNeverOverlap) {
    constexpr size_t kWriters = 8;
    constexpr size_t kWritesEach = 300;
    std::atomic<int> committing = 0;
    uint64_t sequence = 0;
    size_t alone = 0;
    WriteLane lane([&](std::span<PendingWrite* const> group) {
        EXPECT_EQ(committing.fetch_add(1), 0);
        for (PendingWrite* write : group) {
            if (write->between_groups) {
                EXPECT_EQ(group.size(), 1U);
                ++alone;
            }
            write->reply = WriteReply{++sequence, write->documents};
        }
        committing.fetch_sub(1);
    });
    std::mutex mutex;
    std::vector<uint64_t> sequences;
    std::vector<std::thread> writers;
    for (size_t writer = 0; writer < kWriters; ++writer) {
        writers.emplace_back([&, writer] {
            for (size_t number = 0; number < kWritesEach; ++number) {
                PendingWrite write;
                write.documents = writer * kWritesEach + number;
                if (number % 10 == 9) {
                    write.between_groups = [] { return Result<void>(); };
                }
                const Result<WriteReply> reply = lane.run(write);
                ASSERT_TRUE(reply.has_value());
                EXPECT_EQ(reply->count, writer * kWritesEach + number);
                const std::scoped_lock lock(mutex);
                sequences.push_back(reply->sequence);
            }
        });
    }
    for (std::thread& writer : writers) {
        writer.join();
    }
    std::sort(sequences.begin(), sequences.end());
    EXPECT_EQ(std::unique(sequences.begin(), sequences.end()) - sequences.begin(),
              static_cast<std::ptrdiff_t>(kWriters * kWritesEach));
    EXPECT_EQ(alone, kWriters * kWritesEach / 10);
}

TEST(WriteLane, ClosesAfterTheLastWriteAndRefusesTheNext) {
    std::atomic<bool> may_commit = false;
    std::atomic<bool> is_committing = false;
    WriteLane lane([&](std::span<PendingWrite* const> group) {
        is_committing = true;
        is_committing.notify_all();
        may_commit.wait(false);
        for (PendingWrite* write : group) {
            write->reply = WriteReply{1, 1};
        }
    });
    std::thread writer([&] {
        PendingWrite write;
        EXPECT_TRUE(lane.run(write).has_value());
    });
    is_committing.wait(false);
    std::thread closer([&] { lane.close(); });
    may_commit = true;
    may_commit.notify_all();
    writer.join();
    closer.join();
    PendingWrite late;
    const Result<WriteReply> refused = lane.run(late);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace akidb::engine
