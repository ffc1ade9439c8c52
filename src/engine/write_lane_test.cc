#include "engine/write_lane.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "io/executor.h"

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

std::unique_ptr<PendingWrite> write_of(uint64_t documents, WriteDone done) {
    auto write = std::make_unique<PendingWrite>();
    write->documents = documents;
    write->done = std::move(done);
    return write;
}

TEST(WriteLane, TellsThoseWhoDoNotWaitBesideThoseWhoDo) {
    constexpr size_t kWriters = 4;
    constexpr size_t kWritesEach = 500;
    std::atomic<int> committing = 0;
    std::atomic<size_t> told = 0;
    io::ThreadPool pool({.name = "commit", .threads = 2, .queue_max = 1});
    WriteLane* lane_address = nullptr;
    WriteLane lane(
        [&](std::span<PendingWrite* const> group) {
            EXPECT_EQ(committing.fetch_add(1), 0);
            for (PendingWrite* write : group) {
                write->reply = WriteReply{1, write->documents};
            }
            committing.fetch_sub(1);
        },
        [&] { return pool.submit("commit", [&](const std::stop_token&) { lane_address->lead(); }); });
    lane_address = &lane;
    std::vector<std::thread> writers;
    for (size_t writer = 0; writer < kWriters; ++writer) {
        writers.emplace_back([&, writer] {
            for (size_t number = 0; number < kWritesEach; ++number) {
                const uint64_t mine = writer * kWritesEach + number;
                if (number % 7 == 0) {
                    PendingWrite write;
                    write.documents = mine;
                    const Result<WriteReply> reply = lane.run(write);
                    EXPECT_EQ(reply.value().count, mine);
                    ++told;
                    continue;
                }
                lane.submit(write_of(mine, [&told, mine](const Result<WriteReply>& reply) {
                    EXPECT_EQ(reply.value().count, mine);
                    ++told;
                }));
            }
        });
    }
    for (std::thread& writer : writers) {
        writer.join();
    }
    lane.close();
    EXPECT_EQ(told, kWriters * kWritesEach) << "close waits for them all";
    pool.stop();
}

TEST(WriteLane, WithoutAnotherThreadWhoSubmitsCommits) {
    WriteLane lane(
        [](std::span<PendingWrite* const> group) {
            group.front()->reply = WriteReply{7, 1};
        },
        [] { return false; });
    uint64_t sequence = 0;
    lane.submit(write_of(1, [&](const Result<WriteReply>& reply) { sequence = reply.value().sequence; }));
    EXPECT_EQ(sequence, 7U);
    lane.close();
    Code code = Code::kInternal;
    lane.submit(write_of(1, [&](const Result<WriteReply>& reply) { code = reply.error().code(); }));
    EXPECT_EQ(code, Code::kUnavailable);
}

}  // namespace
}  // namespace akidb::engine
