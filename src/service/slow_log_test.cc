#include "service/slow_log.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include "io/posix_file_system.h"
#include "model/limits.h"
#include "service/filter_shape.h"
#include "service/service.h"

namespace akidb::service {
namespace {

class KeepingLogger final : public Logger {
  public:
    void log(LogLevel, std::string_view, std::initializer_list<LogField> fields) override {
        std::map<std::string, std::string, std::less<>>& line = lines.emplace_back();
        for (const LogField& field : fields) {
            line.emplace(field.key, field.value);
        }
    }
    std::vector<std::map<std::string, std::string, std::less<>>> lines;
};

class HandClock final : public io::Clock {
  public:
    uint64_t unix_ms() const override { return 1'700'000'000'000; }
    uint64_t monotonic_us() const override { return now_us += step_us; }

    mutable uint64_t now_us = 1;
    uint64_t step_us = 0;  // passes with each look
};

class SlowLogTest : public ::testing::Test {
  protected:
    SlowLogTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "akidb-slow-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        EXPECT_TRUE(files_->make_directory(root_ + "/collections"));
        catalog_ = std::move(catalog::Catalog::open(root_ + "/catalog.db")).value();
        directory_ = std::make_unique<Directory>(
            engine::Dependencies{*files_, *clock_, *pool_, nothing_, metrics_}, *random_, *catalog_,
            root_ + "/collections", engine::CollectionOptions{});
        EXPECT_TRUE(directory_->start_loading(*pool_));
        while (!directory_->progress().finished) {
            std::this_thread::yield();
        }
        service_ = std::make_unique<Service>(*directory_, hand_, *random_);
        service_->attach_slow_log(log_);
        EXPECT_TRUE(service_->create_collection(context_, {"words", 16, model::Metric::kL2}));
        model::Document one;
        one.id = model::DocumentId(uint64_t{1});
        one.vector.assign(16, 0.125f);
        service_->upsert_documents(context_, "words", {one}, [](const auto& done) { EXPECT_TRUE(done); });
    }
    ~SlowLogTest() override {
        EXPECT_TRUE(directory_->close_all(false));
        while (pool_->pending() > 0) {
            std::this_thread::yield();
        }
        pool_.reset();
        std::filesystem::remove_all(root_);
    }
    static model::SearchRequest request() {
        model::SearchRequest made;
        made.vector.assign(16, 0.987654f);
        auto filter = std::make_shared<model::Filter>();
        filter->must.emplace_back(
            model::MatchCondition{.key = "owner", .any = {std::string("ann@example.com")}});
        made.filter = filter;
        return made;
    }
    void search() { EXPECT_TRUE(service_->search(context_, "words", request())); }

    std::string root_;
    RequestContext context_{.principal = operator_principal(), .request_id = "request-7"};
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    NullLogger nothing_;
    telemetry::Metrics metrics_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<io::ThreadPool> pool_ =
        std::make_unique<io::ThreadPool>(io::ThreadPoolOptions{.name = "work", .threads = 2});
    std::unique_ptr<Directory> directory_;
    HandClock hand_;
    KeepingLogger logger_;
    SlowLog log_{logger_, hand_, metrics_};
    std::unique_ptr<Service> service_;
};

TEST_F(SlowLogTest, TellsThePlanOfASlowSearchAndNothingOfWhatItSearched) {
    hand_.step_us = 50'000;
    search();
    EXPECT_TRUE(logger_.lines.empty()) << "a limit of 0 is none";
    log_.set_limit_ms(50);
    search();
    EXPECT_TRUE(logger_.lines.empty()) << "slower than it, not as slow";
    hand_.step_us = 50'001;
    const auto reply = service_->search(context_, "words", request());
    EXPECT_FALSE(reply->explanation) << "the client did not ask";
    ASSERT_EQ(logger_.lines.size(), 1u);
    auto line = logger_.lines[0];
    EXPECT_EQ(line["request_id"], "request-7");
    EXPECT_EQ(line["tenant"], "default");
    EXPECT_EQ(line["collection"], "words");
    EXPECT_EQ(line["ms"], "50.001");
    EXPECT_EQ(line["status"], "ok");
    EXPECT_EQ(line["plan"], "flat");
    EXPECT_EQ(line["filter"], "must(owner match)");
    EXPECT_EQ(line["rows"], "1");
    for (const auto& [key, value] : line) {
        EXPECT_EQ(value.find("ann@"), std::string::npos) << key;
        EXPECT_EQ(value.find("0.98"), std::string::npos) << key;
    }
    model::SearchRequest explained = request();
    explained.explain = true;
    EXPECT_TRUE(service_->search(context_, "words", explained)->explanation);
    EXPECT_TRUE(service_->search_batch(context_, "words", {request(), request()}));
    EXPECT_EQ(logger_.lines.size(), 4u) << "each search of a batch by itself";
}

TEST_F(SlowLogTest, AFloodOfSlowSearchesIsALineASecond) {
    log_.set_limit_ms(1);
    hand_.now_us = 10'000'000;
    hand_.step_us = 2'000;
    for (int i = 0; i < 15; ++i) {
        search();
    }
    EXPECT_EQ(logger_.lines.size(), 10u);
    hand_.now_us += 1'000'000;
    search();
    search();
    ASSERT_EQ(logger_.lines.size(), 11u);
    EXPECT_EQ(logger_.lines[10]["omitted"], "5");
    EXPECT_NE(metrics_.expose().find("akidb_slow_searches_total 17"), std::string::npos);
    hand_.now_us += 3'600'000'000;
    for (int i = 0; i < 15; ++i) {
        search();
    }
    EXPECT_EQ(logger_.lines.size(), 21u) << "an hour of rest saves up no more than a minute did";
    EXPECT_EQ(logger_.lines[11]["omitted"], "1");
}

TEST(FilterShape, NamesFieldsAndKindsButNoValues) {
    EXPECT_EQ(shape_of(nullptr), "none");
    model::Filter filter;
    EXPECT_EQ(shape_of(&filter), "none");
    filter.must.emplace_back(model::MatchCondition{.key = "a", .any = {int64_t{1}, int64_t{2}}});
    filter.must.emplace_back(model::HasIdCondition{.ids = {"x", "y", "z"}});
    model::RangeCondition range;
    range.key = "price";
    range.lt = 17;
    filter.should.emplace_back(range);
    auto inner = std::make_shared<model::Filter>();
    inner->must_not.emplace_back(model::IsNullCondition{.key = "b"});
    filter.must_not.emplace_back(model::NestedCondition{.key = "parts", .filter = inner});
    filter.must_not.emplace_back(inner);
    EXPECT_EQ(shape_of(&filter),
              "must(a match of 2, 3 ids) should(price range) must_not(parts nested(must_not(b is null)), "
              "(must_not(b is null)))");
}

TEST(FilterShape, IsShortHoweverLongTheFilterIs) {
    model::Filter filter;
    for (int i = 0; i < 1'000; ++i) {
        filter.must.emplace_back(model::IsEmptyCondition{.key = "ключ"});
    }
    const std::string shape = shape_of(&filter);
    EXPECT_LE(shape.size(), kFilterShapeBytesMax);
    EXPECT_GT(shape.size(), kFilterShapeBytesMax - 8);
    EXPECT_TRUE(shape.ends_with("…"));
    filter.must.clear();
    for (const size_t length : {237u, 238u, 239u, 1'000'000u}) {  // "must(" and " is empty)" beside it
        filter.must = {model::IsEmptyCondition{.key = std::string(length, 'k')}};
        EXPECT_LE(shape_of(&filter).size(), kFilterShapeBytesMax) << length;
    }
}

}  // namespace
}  // namespace akidb::service
