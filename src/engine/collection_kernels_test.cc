#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "engine/collection.h"
#include "io/posix_file_system.h"
#include "io/random.h"

namespace akidb::engine {
namespace {

constexpr uint64_t kDocuments = 40;

std::atomic<uint64_t> dots_counted{0};

float counting_dot(const float* a, const float* b, size_t count) {
    dots_counted.fetch_add(1);
    return simd::scalar_kernels().dot_f32(a, b, count);
}

/// Jobs are dropped: these few rows are scanned.
class NoExecutor final : public io::Executor {
  public:
    bool submit(std::string, Job) override { return true; }
};

model::Document document(uint64_t id) {
    model::Document made;
    made.id = model::DocumentId(id);
    made.vector.assign(16, 0.25f);
    made.vector[0] = static_cast<float>(id);
    model::MetadataWriter writer;
    writer.begin_object();
    writer.end();
    made.metadata = std::move(writer).finish().value();
    return made;
}

TEST(CollectionKernels, CompareTheRowsOfItsSearches) {
    std::string root = (std::filesystem::temp_directory_path() / "akidb-kernels-XXXXXX").string();
    ASSERT_NE(::mkdtemp(root.data()), nullptr);
    const auto files = io::make_posix_file_system();
    const auto clock = io::make_system_clock();
    const auto random = io::make_seeded_random(1);
    NoExecutor executor;
    NullLogger logger;
    telemetry::Metrics metrics;
    model::CollectionSpec spec;
    spec.name = "words";
    spec.dimension = 16;
    spec.metric = model::Metric::kDot;
    spec.id = io::make_uuid(*random, *clock);
    simd::Kernels kernels = simd::scalar_kernels();
    kernels.dot_f32 = counting_dot;
    CollectionOptions options;
    options.kernels = &kernels;
    ASSERT_TRUE(Collection::create(*files, root, root + "/c").has_value());
    auto collection =
        Collection::open({*files, *clock, executor, logger, metrics}, root + "/c", spec, options).value();
    std::vector<model::Document> batch;
    for (uint64_t id = 1; id <= kDocuments; ++id) {
        batch.push_back(document(id));
    }
    ASSERT_TRUE(collection->upsert(std::move(batch)).has_value());

    model::SearchRequest request;
    request.vector = document(1).vector;
    request.top_k = 1;
    const uint64_t before = dots_counted.load();
    const auto reply = collection->search(request);
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->matches.at(0).document.id, model::DocumentId(kDocuments));
    EXPECT_GE(dots_counted.load() - before, kDocuments);
    collection.reset();
    std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace akidb::engine
