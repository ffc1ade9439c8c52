// A server's collections with tiers, on a real directory and objects in memory, which dies when a test says
// so: from one step on nothing is written any more, not to files, not to the store, not to the catalog. For
// tests only.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "objects/memory_store.h"
#include "service/histories_for_tests.h"
#include "service/tiers.h"
#include "storage/files_for_tests.h"

namespace akidb::service {

/// Counts steps, and is dead from the one that was planned.
class Doom {
  public:
    /// Off before.
    void plan(uint64_t steps) { left_ = static_cast<int64_t>(steps); }
    bool is_dead() const { return left_.load() == 0; }
    Result<void> step() {
        int64_t left = left_.load();
        while (left > 0 && !left_.compare_exchange_weak(left, left - 1)) {
        }
        return left == 0 || left == 1 ? Result<void>(Error(Code::kUnavailable, "the process died"))
                                      : Result<void>();
    }

  private:
    std::atomic<int64_t> left_{-1};
};

class DoomedFiles final : public storage::FaultyFileSystem {
  public:
    explicit DoomedFiles(Doom& doom) : doom_(doom) { skip_syncs(); }
    Result<std::unique_ptr<io::AppendFile>> create(const std::string& path) override {
        AKIDB_TRY(doom_.step());
        AKIDB_TRY(auto file, FaultyFileSystem::create(path));
        return std::unique_ptr<io::AppendFile>(std::make_unique<File>(doom_, std::move(file)));
    }
    Result<void> rename(const std::string& from, const std::string& to) override {
        AKIDB_TRY(doom_.step());
        AKIDB_TRY(FaultyFileSystem::rename(from, to));
        return doom_.step();
    }
    Result<void> remove(const std::string& path) override {
        AKIDB_TRY(doom_.step());
        return FaultyFileSystem::remove(path);
    }
    Result<void> make_directory(const std::string& path) override {
        AKIDB_TRY(doom_.step());
        return FaultyFileSystem::make_directory(path);
    }
    Result<void> remove_directory(const std::string& path) override {
        AKIDB_TRY(doom_.step());
        return FaultyFileSystem::remove_directory(path);
    }

  private:
    class File final : public io::AppendFile {
      public:
        File(Doom& doom, std::unique_ptr<io::AppendFile> real) : doom_(doom), real_(std::move(real)) {}
        Result<void> append(std::string_view bytes) override {
            AKIDB_TRY(doom_.step());
            return real_->append(bytes);
        }
        Result<void> preallocate(uint64_t total) override { return real_->preallocate(total); }
        Result<void> sync() override { return doom_.is_dead() ? doom_.step() : real_->sync(); }
        uint64_t size() const override { return real_->size(); }
        uint64_t allocated() const override { return real_->allocated(); }
        Result<void> close() override { return real_->close(); }

      private:
        Doom& doom_;
        std::unique_ptr<io::AppendFile> real_;
    };
    Doom& doom_;
};

/// Dies before a request or behind it; refuses all while it is down.
class DoomedStore final : public objects::ForwardingStore<DoomedStore> {
  public:
    DoomedStore(ObjectStore& store, Doom& doom, const std::atomic<bool>& is_down,
                std::atomic<uint64_t>& calls)
        : ForwardingStore(store), doom_(doom), is_down_(is_down), calls_(calls) {}
    template <class Call>
    auto around(uint64_t /*bytes*/, Call call) -> decltype(call()) {
        ++calls_;
        AKIDB_TRY(doom_.step());
        if (is_down_) {
            return Error(Code::kUnavailable, "the store is down");
        }
        auto outcome = call();
        AKIDB_TRY(doom_.step());
        return outcome;
    }

  private:
    Doom& doom_;
    const std::atomic<bool>& is_down_;
    std::atomic<uint64_t>& calls_;
};

class DoomedTierStore final : public catalog::TierStore {
  public:
    DoomedTierStore(std::unique_ptr<catalog::TierStore> real, Doom& doom)
        : real_(std::move(real)), doom_(doom) {}
    Result<std::vector<catalog::TierRow>> list_rows() override { return real_->list_rows(); }
    Result<std::vector<catalog::TierTask>> list_tasks() override { return real_->list_tasks(); }
    Result<void> put_row(const catalog::TierRow& row) override {
        return around([&] { return real_->put_row(row); });
    }
    Result<void> put_row_and_task(const catalog::TierRow& row, const catalog::TierTask& task) override {
        return around([&] { return real_->put_row_and_task(row, task); });
    }
    Result<void> put_task(const catalog::TierTask& task) override {
        return around([&] { return real_->put_task(task); });
    }
    Result<void> remove_task(int64_t id) override {
        return around([&] { return real_->remove_task(id); });
    }
    Result<std::vector<std::string>> list_objects(const Uuid& copy) override {
        return real_->list_objects(copy);
    }
    Result<void> note_objects(const Uuid& copy, const std::vector<std::string>& names) override {
        return around([&] { return real_->note_objects(copy, names); });
    }
    Result<void> forget_objects(const Uuid& copy, const std::vector<std::string>& names) override {
        return around([&] { return real_->forget_objects(copy, names); });
    }
    Result<void> forget_copies() override { return real_->forget_copies(); }
    Result<void> close() override { return real_->close(); }

  private:
    template <class Call>
    Result<void> around(Call call) {
        AKIDB_TRY(doom_.step());
        AKIDB_TRY(call());
        return doom_.step();
    }
    std::unique_ptr<catalog::TierStore> real_;
    Doom& doom_;
};

/// Time that passes when the test says so, so that idle collections are.
class SetTime final : public io::Clock {
  public:
    uint64_t monotonic_us() const override { return now_us_; }
    uint64_t unix_ms() const override { return zero_ms_ + now_us_ / 1000; }
    void pass_s(uint64_t seconds) { now_us_ += seconds * 1'000'000; }
    void set_back_s(uint64_t seconds) { zero_ms_ -= seconds * 1000; }

  private:
    std::atomic<uint64_t> now_us_{1'000'000};
    std::atomic<uint64_t> zero_ms_{1'700'000'000'000};
};

class RunAtOnce final : public io::Executor {
  public:
    bool submit(std::string, Job job) override {
        job({});
        return true;
    }
};

/// Outlives the servers that are opened on it.
struct TierWorld {
    TierWorld() {
        for (const char* name : {"", "/collections", "/staging"}) {
            EXPECT_TRUE(real_files->make_directory(data() + name));
        }
    }
    std::string data() const { return root / "data"; }

    storage::TempDirectory root;
    std::unique_ptr<io::FileSystem> real_files = io::make_posix_file_system();
    std::unique_ptr<io::Random> random = io::make_seeded_random(7);
    SetTime clock;
    std::unique_ptr<objects::ObjectStore> memory = objects::make_memory_store();
    std::atomic<bool> is_down{false};
    std::atomic<uint64_t> store_calls{0};
    std::atomic<uint64_t> serving_targets{0};  // that were opened for what somebody waits for
    objects::Breaker* breaker = nullptr;       // in front of what stands in for `memory`
    TierOptions options{.place = "memory",
                        .cache_bytes = 64 << 20,
                        .warm_after_us = 60'000'000,
                        .cold_after_us = 600'000'000,
                        .copy_interval_us = 300'000'000,
                        .tries_max = 3,
                        .wait_us = 60'000'000,
                        .waiters_max = 8};
};

class TieredServer {
  public:
    explicit TieredServer(TierWorld& world, io::Executor* openers = nullptr)
        : world_(world), catalog_(catalog::Catalog::open(world.data() + "/akidb.db").value()) {
        EXPECT_TRUE(io::remove_tree(*world.real_files, world.data(), "staging"));
        EXPECT_TRUE(world.real_files->make_directory(world.data() + "/staging"));
        engine::CollectionOptions options;
        options.checkpoint_log_bytes = 32 << 10;
        options.graph_rows_min = 200;
        directory_ = std::make_unique<Directory>(
            engine::Dependencies{files_, world.clock, jobless_, logger_, metrics_}, *world.random, *catalog_,
            world.data() + "/collections", options);
        store_ = std::make_unique<DoomedTierStore>(
            catalog::TierStore::open(world.data() + "/akidb.db").value(), doom_);
        tiers_ = std::make_unique<Tiers>(
            Tiers::Dependencies{.directory = *directory_,
                                .store = *store_,
                                .files = files_,
                                .clock = world.clock,
                                .random = *world.random,
                                .logger = logger_,
                                .metrics = metrics_,
                                .openers = openers == nullptr ? at_once_ : *openers,
                                .movers = jobless_,
                                .fetchers = jobless_,
                                .readers = jobless_,
                                .data = world.data(),
                                .open_target =
                                    [this](const std::string&, backup::TargetUse use) {
                                        world_.serving_targets += use == backup::TargetUse::kServe ? 1 : 0;
                                        return Result<std::unique_ptr<backup::Target>>(
                                            backup::Target::over(std::make_unique<DoomedStore>(
                                                *world_.memory, doom_, world_.is_down, world_.store_calls)));
                                    },
                                .breaker = world.breaker},
            world.options);
        const auto asleep = tiers_->begin();
        EXPECT_TRUE(asleep);
        EXPECT_TRUE(directory_->start_loading(at_once_, *asleep));
    }
    ~TieredServer() {
        tiers_->stop();
        if (!doom_.is_dead()) {
            EXPECT_TRUE(directory_->close_all(false));
        }
    }

    Doom& doom() { return doom_; }
    Tiers& tiers() { return *tiers_; }
    Directory& directory() { return *directory_; }
    catalog::Catalog& catalog() { return *catalog_; }
    catalog::TierStore& store() { return *store_; }
    Logger& logger() { return logger_; }
    telemetry::Metrics& metrics() { return metrics_; }

    DirectoryEntry create(const Kind& kind, const std::string& name, model::StoragePolicy policy) {
        auto made = directory_->create({}, spec_of(kind, name));
        EXPECT_TRUE(made);
        EXPECT_TRUE(tiers_->set_policy(made->spec.id, policy));
        return *made;
    }
    Result<std::shared_ptr<engine::Collection>> wake(const std::string& name) {
        return tiers_->wake({{}, name});
    }
    model::Tier tier(const std::string& name) {
        return tiers_->tier_of(directory_->describe({{}, name}).value()).tier;
    }
    Result<void> act(const std::string& name, model::TierAction action) {
        return tiers_->act({{}, name}, action);
    }
    std::string path_of(const std::string& name) {
        return world_.data() + "/collections/" + directory_->describe({{}, name}).value().spec.id.to_string();
    }

  private:
    TierWorld& world_;
    Doom doom_;
    DoomedFiles files_{doom_};
    NullLogger logger_;
    telemetry::Metrics metrics_;
    JoblessExecutor jobless_;
    RunAtOnce at_once_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<DoomedTierStore> store_;
    std::unique_ptr<Directory> directory_;
    std::unique_ptr<Tiers> tiers_;
};

class TiersFixture : public testing::Test {
  protected:
    static Model rows(uint64_t first, uint64_t count, uint64_t seed = 0) {
        Model model;
        for (uint64_t id = first; id < first + count; ++id) {
            model[id] = {static_cast<int64_t>(id + seed), id * 1000 + seed};
        }
        return model;
    }
    static void write(TieredServer& server, const Kind& kind, const std::string& name, const Model& model) {
        std::vector<model::Document> documents;
        for (const auto& [id, row] : model) {
            documents.push_back(document(kind, id, row));
        }
        const auto collection = server.wake(name);
        ASSERT_TRUE(collection) << collection.error().message();
        ASSERT_TRUE((*collection)->upsert(std::move(documents)));
    }
    /// Every document, and no other.
    static void expect_equal(engine::Collection& collection, const Kind& kind, const Model& model) {
        EXPECT_EQ(collection.count(nullptr).value(), model.size());
        for (const auto& [id, row] : model) {
            const auto found = collection.get({model::DocumentId(id)}, {.vector = true, .metadata = true});
            ASSERT_TRUE(found) << found.error().message();
            ASSERT_EQ(found->size(), 1U) << id;
            EXPECT_EQ(found->front().metadata, metadata_of(row.number));
            if (kind.storage == model::VectorStorage::kF32 && kind.metric != model::Metric::kCosine) {
                EXPECT_EQ(found->front().vector, vector_of(kind.dimension, row.seed));
            }
            expect_named_vectors(kind, found->front(), row);
        }
        model::SearchRequest request;
        request.vector = vector_of(kind.dimension, model.empty() ? 1 : model.begin()->second.seed);
        request.top_k = 3;
        const auto answer = collection.search(request);
        ASSERT_TRUE(answer) << answer.error().message();
        EXPECT_EQ(answer->matches.size(), std::min<size_t>(3, model.size()));
    }
    std::vector<std::string> objects() const {
        std::vector<std::string> keys;
        const auto page = world_.memory->list({});
        for (const auto& object : page->objects) {
            keys.push_back(object.key);
        }
        return keys;
    }
    bool any_object_has(const std::string& text) const {
        for (const std::string& key : objects()) {
            if (world_.memory->get(key, 64 << 20)->find(text) != std::string::npos) {
                return true;
            }
        }
        return false;
    }

    TierWorld world_;
};

}  // namespace akidb::service
