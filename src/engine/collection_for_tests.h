// What tests of a whole collection share: a real directory, an executor whose jobs wait until the test runs
// maintenance itself, and documents made from a seed.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/collection.h"
#include "io/posix_file_system.h"
#include "io/random.h"
#include "storage/files_for_tests.h"

namespace akidb::engine {

/// Jobs never run by themselves: the tests say when.
class IdleExecutor final : public io::Executor {
  public:
    bool submit(std::string, Job) override { return true; }
};

/// The documents whose field "n" is less.
inline model::Filter n_below(double bound) {
    model::Filter filter;
    model::RangeCondition range;
    range.key = "n";
    range.lt = bound;
    filter.must.emplace_back(std::move(range));
    return filter;
}

/// Components between -1 and 1 that follow from the seed, and the id once more as metadata "n".
inline model::Document seeded_document(uint32_t dimension, uint64_t id, uint64_t seed) {
    model::Document made;
    made.id = model::DocumentId(id);
    auto source = io::make_seeded_random(seed);
    for (uint32_t i = 0; i < dimension; ++i) {
        made.vector.push_back(static_cast<float>(source->next_u64() % 2001) / 1000.0f - 1.0f);
    }
    model::MetadataWriter writer;
    writer.begin_object();
    writer.key("n");
    writer.put_int(static_cast<int64_t>(id));
    writer.end();
    made.metadata = std::move(writer).finish().value();
    return made;
}

class CollectionFixture : public ::testing::Test {
  protected:
    CollectionFixture() {
        spec_.name = "words";
        spec_.dimension = 16;
        spec_.metric = model::Metric::kCosine;
        spec_.id = storage::test_collection();
    }

    void create() {
        ASSERT_TRUE(Collection::create(*files_, root_.path(), directory()).has_value());
        open();
    }
    /// When one is open already: as after kill -9, nothing is closed in an orderly way.
    void open() { open(executor_); }
    /// `executor` must outlive the collection.
    void open(io::Executor& executor) {
        collection_.reset();
        auto opened =
            Collection::open({*files_, *clock_, executor, logger_, metrics_}, directory(), spec_, options_);
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        collection_ = std::move(opened).value();
    }
    std::string directory() const { return root_ / "c"; }

    model::Document document(uint64_t id, uint64_t seed) const {
        return seeded_document(spec_.dimension, id, seed);
    }
    void upsert(uint64_t first, uint64_t count, uint64_t seed_offset = 0) {
        std::vector<model::Document> batch;
        for (uint64_t id = first; id < first + count; ++id) {
            batch.push_back(document(id, id + seed_offset));
        }
        const auto written = collection_->upsert(std::move(batch));
        ASSERT_TRUE(written.has_value()) << written.error().message();
    }
    uint64_t count() const { return collection_->count(nullptr).value(); }

    storage::TempDirectory root_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    IdleExecutor executor_;
    NullLogger logger_;
    telemetry::Metrics metrics_;
    model::CollectionSpec spec_;
    CollectionOptions options_;
    std::shared_ptr<Collection> collection_;
};

}  // namespace akidb::engine
