// Restores to sequence numbers and to moments drawn from random histories are equal to a model of that point,
// or refused with the name of what is damaged or missing; what a restored server writes is another timeline,
// and touches no point of the first.
#include <cstdio>

#include "service/point_histories_for_tests.h"

namespace akidb::service {
namespace {

TEST_P(PointHistories, RestoreToTheModelOfAnyPointOrAreRefusedByName) {
    ASSERT_NO_FATAL_FAILURE(play(4));
    for (int i = 0; i < 20; ++i) {
        const Drawn drawn = draw_point();
        const auto report = restore(drawn.request, restored_);
        ASSERT_TRUE(report) << report.error().message();
        ASSERT_NO_FATAL_FAILURE(expect_point(drawn, restored_));
    }
    const auto latest = restore({.point = {PointKind::kLatest, 0}}, restored_);
    ASSERT_TRUE(latest) << latest.error().message();
    ASSERT_NO_FATAL_FAILURE(expect_all(history_, archived_ms_, restored_));
    expect_refusal({.point = {PointKind::kTime, unknown_from_ms_ + 1}}, kShort);
    expect_refusal({.point = {PointKind::kTime, clock_.unix_ms() + 1}}, "reaches");
    expect_refusal({.point = {PointKind::kTime, first_backup_ms_ - 1000}}, "points in time that there are");
    expect_refusal({.point = {PointKind::kSequence, 1'000'000}, .collection = kKinds[0].name},
                   "write 1000000");
    for (int i = 0; i < 20; ++i) {
        ASSERT_NO_FATAL_FAILURE(expect_equal_or_refused());
    }
    EXPECT_GT(refused_, 0u);
    std::printf("seed %llu: %zu restores, %zu of them refused by name\n",
                static_cast<unsigned long long>(GetParam()), restores_, refused_);
}

TEST_P(PointHistories, WhatARestoredServerWritesIsAnotherTimeline) {
    ASSERT_NO_FATAL_FAILURE(play(2));
    const Uuid first = server_->archiver->timeline();
    const Drawn back = [&] {
        Drawn drawn = draw_point();
        while (drawn.life != nullptr) {
            drawn = draw_point();
        }
        return drawn;
    }();
    const uint64_t back_ms = back.request.point.value;
    const auto of_before = std::move(server_);
    data_ = root_ / "second";
    ASSERT_TRUE(restore(back.request, data_));
    ASSERT_TRUE(files_->make_directory(data_ + "/staging"));
    const History before = history_;
    server_ = std::make_unique<Server>(*this, data_);
    std::erase_if(history_, [&](const auto& each) {
        return each.second.known_from_ms > back_ms || each.second.gone_ms <= back_ms;
    });
    for (auto& [name, life] : history_) {
        life.versions = {version_at(life, back_ms)};
        life.known_from_ms = 0;
        life.gone_ms = UINT64_MAX;
        oldest_[name] = 0;
    }
    first_backup_ms_ = 0;
    ASSERT_NO_FATAL_FAILURE(archive());
    EXPECT_NE(server_->archiver->timeline(), first);
    EXPECT_TRUE(server_->archiver->wants_backup()) << "without one of its own, it has no points";
    ASSERT_NO_FATAL_FAILURE(back_up());
    for (int i = 0; i < 25; ++i) {
        ASSERT_NO_FATAL_FAILURE(step());
    }
    ASSERT_NO_FATAL_FAILURE(archive());
    for (int i = 0; i < 4; ++i) {
        const Drawn drawn = draw_point();
        const auto report = restore(drawn.request, restored_);
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(report->timeline, server_->archiver->timeline());
        ASSERT_NO_FATAL_FAILURE(expect_point(drawn, restored_));
    }
    // The first one is as it was.
    const auto report = restore({.point = {PointKind::kLatest, 0}, .timeline = first}, restored_);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->timeline, first);
    ASSERT_NO_FATAL_FAILURE(expect_all(before, clock_.unix_ms(), restored_));
}

INSTANTIATE_TEST_SUITE_P(Seeds, PointHistories, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace akidb::service
