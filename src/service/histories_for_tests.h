// What histories of collections are played on: collections of each storage, documents that follow from a
// number and a seed, a data directory opened as a server does, and objects that outlive whoever opens them.
// For tests only; not thread-safe.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "backup/restore.h"
#include "catalog/catalog.h"
#include "io/random.h"
#include "objects/forwarding_store.h"
#include "service/directory.h"

namespace akidb::service {

struct Row {
    int64_t number = 0;  // in the metadata
    uint64_t seed = 0;   // of the vector
};
using Model = std::map<uint64_t, Row>;
using Models = std::map<std::string, Model>;

struct Kind {
    const char* name;
    uint32_t dimension;
    model::Metric metric;
    model::VectorStorage storage;
};
inline constexpr Kind kKinds[] = {{"floats", 16, model::Metric::kCosine, model::VectorStorage::kF32},
                                  {"halves", 24, model::Metric::kL2, model::VectorStorage::kF16},
                                  {"bytes", 17, model::Metric::kDot, model::VectorStorage::kInt8}};

inline std::vector<float> vector_of(uint32_t dimension, uint64_t seed) {
    const auto source = io::make_seeded_random(seed);
    std::vector<float> vector;
    for (uint32_t i = 0; i < dimension; ++i) {
        vector.push_back(static_cast<float>(source->next_u64() % 2001) / 1000.0F - 1.0F);
    }
    return vector;
}

inline std::string metadata_of(int64_t number) {
    model::MetadataWriter writer;
    writer.begin_object();
    writer.key("n");
    writer.put_int(number);
    writer.end();
    return std::move(writer).finish().value();
}

inline model::Document document(const Kind& kind, uint64_t id, const Row& row) {
    model::Document made;
    made.id = model::DocumentId(id);
    made.vector = vector_of(kind.dimension, row.seed);
    made.metadata = metadata_of(row.number);
    return made;
}

/// Objects that outlive whoever opens them.
class Sharing final : public objects::ForwardingStore<Sharing> {
  public:
    using ForwardingStore::ForwardingStore;
    template <class Call>
    auto around(uint64_t /*bytes*/, Call call) -> decltype(call()) {
        return call();
    }
};

/// Work in the background happens when the history says so.
class JoblessExecutor final : public io::Executor {
  public:
    bool submit(std::string, Job) override { return false; }
};

/// A data directory, opened as a server does.
class Opened {
  public:
    Opened(io::FileSystem& files, io::Clock& clock, io::Random& random, const std::string& data)
        : catalog_(catalog::Catalog::open(data + "/" + backup::kRestoredCatalog).value()) {
        engine::CollectionOptions options;
        options.checkpoint_log_bytes = 32 << 10;
        options.graph_rows_min = 200;
        options.rewrite_dead_rows_min = 64;
        directory_ = std::make_unique<Directory>(engine::Dependencies{files, clock, idle_, logger_, metrics_},
                                                 random, *catalog_, data + "/collections", options);
        EXPECT_TRUE(directory_->start_loading(loader_));
        while (!directory_->progress().finished) {
            std::this_thread::yield();
        }
    }
    ~Opened() { EXPECT_TRUE(directory_->close_all(false)); }

    Directory& directory() { return *directory_; }
    catalog::Catalog& catalog() { return *catalog_; }
    std::shared_ptr<engine::Collection> find(const std::string& name) const {
        auto found = directory_->find({{}, name});
        EXPECT_TRUE(found) << name << ": " << (found ? "" : found.error().message());
        return found ? std::move(found).value() : nullptr;
    }

  private:
    NullLogger logger_;
    telemetry::Metrics metrics_;
    JoblessExecutor idle_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<Directory> directory_;
    io::ThreadPool loader_{{.name = "load", .threads = 2}};
};

}  // namespace akidb::service
