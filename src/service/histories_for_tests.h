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
#include "index/stored_vector.h"
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
    bool has_side = false;  // a second vector, named, which every third seed lacks
};
inline constexpr Kind kKinds[] = {{"floats", 16, model::Metric::kCosine, model::VectorStorage::kF32},
                                  {"halves", 24, model::Metric::kL2, model::VectorStorage::kF16, true},
                                  {"bytes", 17, model::Metric::kDot, model::VectorStorage::kInt8}};

inline std::vector<model::VectorSpec> named_vectors_of(const Kind& kind) {
    std::vector<model::VectorSpec> named;
    if (kind.has_side) {
        named.push_back({"side", 20, model::Metric::kDot, model::VectorStorage::kInt8});
    }
    return named;
}

inline model::CollectionSpec spec_of(const Kind& kind, std::string name) {
    return {.name = std::move(name),
            .dimension = kind.dimension,
            .metric = kind.metric,
            .storage = kind.storage,
            .vectors = named_vectors_of(kind)};
}

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
    for (const model::VectorSpec& named : named_vectors_of(kind)) {
        if (row.seed % 3 != 0) {
            made.vectors.push_back({named.name, vector_of(named.dimension, row.seed + 1)});
        }
    }
    made.metadata = metadata_of(row.number);
    return made;
}

inline constexpr const char* kSecret = "of-which-nothing-may-stay";

/// Of the first kind; kSecret is in its metadata, and nowhere else.
inline model::Document secret_document(uint64_t id) {
    model::MetadataWriter writer;
    writer.begin_object();
    writer.key("secret");
    writer.put_string(kSecret);
    writer.end();
    model::Document made = document(kKinds[0], id, {1, 1});
    made.metadata = std::move(writer).finish().value();
    return made;
}

/// Those with names are the ones that were written, as they are kept.
inline void expect_named_vectors(const Kind& kind, const model::Document& found, const Row& row) {
    for (const model::VectorSpec& named : named_vectors_of(kind)) {
        std::vector<float> expected = model::vector_of(document(kind, 0, row), named.name);
        if (!expected.empty()) {
            index::round_to_stored(named.storage, expected);
        }
        EXPECT_EQ(model::vector_of(found, named.name), expected);
    }
}

inline constexpr uint64_t kIdsMax = 300;

/// Writes of each sort, to a collection and to a model of it.
class RandomWrites {
  public:
    explicit RandomWrites(uint64_t seed) : chance_(io::make_seeded_random(seed)) {}

    uint64_t draw(uint64_t below) { return chance_->next_u64() % below; }

    void write(const Kind& kind, engine::Collection& collection, Model& now) {
        switch (draw(6)) {
            case 0:
                return update(collection, now);
            case 1:
                return remove(collection, now);
            case 2:
                return remove_matching(collection, now);
            default:
                return upsert(kind, collection, now);
        }
    }

    void upsert(const Kind& kind, engine::Collection& collection, Model& now) {
        std::vector<model::Document> batch;
        for (uint64_t i = 1 + draw(60); i > 0; --i) {
            const uint64_t id = draw(kIdsMax);
            const Row row{static_cast<int64_t>(draw(1000)), chance_->next_u64()};
            batch.push_back(document(kind, id, row));
            now[id] = row;
        }
        ASSERT_TRUE(collection.upsert(std::move(batch)));
    }

  private:
    void update(engine::Collection& collection, Model& now) {
        model::UpdateAll all;
        std::vector<model::DocumentId> ids;
        const auto number = static_cast<int64_t>(draw(1000));
        for (uint64_t id = draw(10); id < kIdsMax; id += 1 + draw(40)) {
            ids.emplace_back(id);
            if (const auto found = now.find(id); found != now.end()) {
                found->second.number = number;
            }
        }
        all.which = ids;
        all.change.merge = metadata_of(number);
        ASSERT_TRUE(collection.update(all));
    }

    void remove(engine::Collection& collection, Model& now) {
        std::vector<model::DocumentId> ids;
        for (uint64_t i = 1 + draw(20); i > 0; --i) {
            const uint64_t id = draw(kIdsMax);
            ids.emplace_back(id);
            now.erase(id);
        }
        ASSERT_TRUE(collection.remove(ids));
    }

    void remove_matching(engine::Collection& collection, Model& now) {
        const auto bound = static_cast<int64_t>(draw(120));
        model::Filter filter;
        model::RangeCondition range;
        range.key = "n";
        range.lt = static_cast<double>(bound);
        filter.must.emplace_back(std::move(range));
        std::erase_if(now, [&](const auto& row) { return row.second.number < bound; });
        ASSERT_TRUE(collection.remove_matching(filter));
    }

    std::unique_ptr<io::Random> chance_;
};

inline void expect_equal(const Kind& kind, engine::Collection& collection, const Model& expected) {
    model::ScrollRequest request{.limit = 10'000};
    request.include = {.vector = true, .metadata = true};
    const auto page = collection.scroll(request);
    ASSERT_TRUE(page) << page.error().message();
    ASSERT_EQ(page->documents.size(), expected.size()) << kind.name;
    auto row = expected.begin();
    for (const model::Document& found : page->documents) {
        ASSERT_EQ(found.id, model::DocumentId(row->first));
        EXPECT_EQ(model::MetadataView(found.metadata).member("n")->as_int(), row->second.number);
        std::vector<float> vector = vector_of(kind.dimension, row->second.seed);
        index::round_to_stored(kind.storage, vector);
        EXPECT_EQ(found.vector, vector);
        expect_named_vectors(kind, found, row->second);
        ++row;
    }
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
    /// `held_log_bytes`: as of CollectionOptions; 0: the log is nobody's.
    Opened(io::FileSystem& files, io::Clock& clock, io::Random& random, const std::string& data,
           uint64_t held_log_bytes = 0)
        : catalog_(catalog::Catalog::open(data + "/" + backup::kRestoredCatalog).value()) {
        engine::CollectionOptions options;
        options.checkpoint_log_bytes = 32 << 10;
        options.graph_rows_min = 200;
        options.rewrite_dead_rows_min = 64;
        options.held_log_bytes_max = held_log_bytes;
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
