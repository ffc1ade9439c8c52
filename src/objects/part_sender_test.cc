#include "objects/part_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "base/mutex.h"

namespace akidb::objects {
namespace {

using testing::ElementsAre;

Result<std::string> tag_of(uint64_t number, std::string_view bytes) {
    return std::to_string(number) + ":" + std::string(bytes);
}

TEST(PartSender, TellsTheTagsInOrderWithThreadsAndWithout) {
    io::ThreadPool pool({.name = "parts", .threads = 3});
    for (io::Executor* executor : {static_cast<io::Executor*>(nullptr), static_cast<io::Executor*>(&pool)}) {
        PartSender sender(executor, 3, tag_of);
        for (const char* part : {"a", "b", "c", "d", "e"}) {
            ASSERT_TRUE(sender.add(part));
        }
        const auto tags = sender.finish();
        ASSERT_TRUE(tags);
        EXPECT_THAT(*tags, ElementsAre("1:a", "2:b", "3:c", "4:d", "5:e"));
    }
}

/// Each part waits until as many are under way as there may be: one more would be seen, one fewer hangs.
TEST(PartSender, HasSoManyUnderWayAndNoMore) {
    constexpr size_t kAtOnce = 3;
    constexpr size_t kRounds = 4;
    io::ThreadPool pool({.name = "parts", .threads = 8});
    Mutex mutex;
    CondVar changed;
    size_t begun = 0;
    size_t under_way = 0;
    size_t most = 0;
    PartSender sender(&pool, kAtOnce, [&](uint64_t number, std::string_view bytes) {
        MutexLock lock(mutex);
        most = std::max(most, ++under_way);
        ++begun;
        changed.notify_all();
        while (begun < (number + kAtOnce - 1) / kAtOnce * kAtOnce) {
            changed.wait(mutex);
        }
        --under_way;
        return tag_of(number, bytes);
    });
    for (size_t i = 0; i < kAtOnce * kRounds; ++i) {
        ASSERT_TRUE(sender.add("x"));
    }
    ASSERT_TRUE(sender.finish());
    EXPECT_EQ(most, kAtOnce);
}

TEST(PartSender, BeginsNothingAfterAnError) {
    std::atomic<uint64_t> sent{0};
    PartSender sender(nullptr, 4, [&](uint64_t number, std::string_view bytes) {
        ++sent;
        return number == 2 ? Result<std::string>(Error(Code::kUnavailable, "lost")) : tag_of(number, bytes);
    });
    EXPECT_TRUE(sender.add("a"));
    EXPECT_TRUE(sender.add("b"));
    const auto refused = sender.add("c");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(), "lost");
    EXPECT_FALSE(sender.finish());
    EXPECT_EQ(sent, 2u);
}

TEST(PartSender, APartThatAnExecutorDropsIsAnError) {
    class Dropping final : public io::Executor {
      public:
        bool submit(std::string, Job) override { return true; }
    } dropping;
    PartSender sender(&dropping, 2, tag_of);
    EXPECT_TRUE(sender.add("a"));
    const auto tags = sender.finish();
    ASSERT_FALSE(tags);
    EXPECT_EQ(tags.error().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace akidb::objects
