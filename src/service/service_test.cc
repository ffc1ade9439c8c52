#include "service/service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "io/posix_file_system.h"
#include "model/limits.h"
#include "service/lifecycle.h"
#include "storage/files_for_tests.h"

namespace akidb::service {
namespace {

class ServiceTest : public ::testing::Test {
  protected:
    ServiceTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "akidb-service-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        EXPECT_TRUE(files_->make_directory(root_ + "/collections").has_value());
        start();
    }
    ~ServiceTest() override {
        stop();
        std::filesystem::remove_all(root_);
    }
    void start() {
        catalog_ = std::move(catalog::Catalog::open(root_ + "/catalog.db")).value();
        pool_ = std::make_unique<io::ThreadPool>(io::ThreadPoolOptions{.name = "work", .threads = 2});
        directory_ = std::make_unique<Directory>(
            engine::Dependencies{*files_, *clock_, *pool_, logger_, metrics_}, *random_, *catalog_,
            root_ + "/collections", engine::CollectionOptions{});
        ASSERT_TRUE(directory_->start_loading(*pool_).has_value());
        while (!directory_->progress().finished) {
            std::this_thread::yield();
        }
        service_ = std::make_unique<Service>(*directory_, *clock_, *random_);
    }
    void stop() {
        if (directory_ != nullptr) {
            EXPECT_TRUE(directory_->close_all(true).has_value());
        }
        while (pool_ != nullptr && pool_->pending() > 0) {
            std::this_thread::yield();
        }
        pool_.reset();
        service_.reset();
        directory_.reset();
        catalog_.reset();
    }
    size_t directories() const {
        return static_cast<size_t>(
            std::distance(std::filesystem::directory_iterator(root_ + "/collections"), {}));
    }
    model::Document document(uint64_t id) const {
        model::Document made;
        made.id = model::DocumentId(id);
        made.vector.assign(16, static_cast<float>(id));
        return made;
    }

    Result<engine::WriteReply> upsert(std::vector<model::Document> documents) {
        std::optional<Result<engine::WriteReply>> reply;  // at return: there is no committer
        service_->upsert_documents(context_, "words", std::move(documents),
                                   [&](Result<engine::WriteReply> done) { reply = std::move(done); });
        return *reply;
    }

    std::string root_;
    RequestContext context_{.principal = operator_principal()};
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    NullLogger logger_;
    telemetry::Metrics metrics_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<io::ThreadPool> pool_;
    std::unique_ptr<Directory> directory_;
    std::unique_ptr<Service> service_;
};

TEST_F(ServiceTest, CollectionsSurviveARestartUnderTheirNames) {
    ASSERT_TRUE(service_->create_collection(context_, {"words", 16, model::Metric::kL2}).has_value());
    ASSERT_TRUE(upsert({document(1), document(2)}).has_value());
    stop();
    start();
    const auto described = service_->describe_collection(context_, "words").value();
    EXPECT_EQ(described.stats.documents, 2u);
    EXPECT_EQ(service_->count_documents(context_, described.spec.id.to_string(), nullptr).value(), 2u);
}

TEST_F(ServiceTest, ListingGoesOnWhileCollectionsComeAndGo) {
    std::atomic<bool> is_over{false};
    std::thread reader([&] {
        while (!is_over.load()) {
            directory_->export_gauges(metrics_);
            EXPECT_LE(directory_->list({}).size(), 100u);
            EXPECT_TRUE(directory_->quarantined().empty());
            EXPECT_FALSE(directory_->has_poisoned());
        }
    });
    for (int i = 0; i < 100; ++i) {
        const std::string name = "c" + std::to_string(i);
        EXPECT_TRUE(service_->create_collection(context_, {name, 16, model::Metric::kL2}).has_value());
        if (i % 3 == 0) {
            EXPECT_TRUE(service_->delete_collection(context_, name).has_value());
        }
    }
    is_over = true;
    reader.join();
}

TEST_F(ServiceTest, MetadataIndexesAreDeclaredChangedAndDroppedForGood) {
    using model::MetadataIndexType;
    const auto declared = [&] {
        std::vector<model::MetadataField> fields;
        const CollectionDescription words = service_->describe_collection(context_, "words").value();
        for (const engine::MetadataIndexState& index : words.stats.metadata_indexes) {
            fields.push_back(index.field);
        }
        return fields;
    };
    ASSERT_TRUE(service_->create_collection(
        context_, {"words", 16, model::Metric::kL2, {{"lang", MetadataIndexType::kKeyword}}}));
    ASSERT_TRUE(service_->put_metadata_index(context_, "words", {"year", MetadataIndexType::kFloat}));
    ASSERT_TRUE(service_->put_metadata_index(context_, "words", {"year", MetadataIndexType::kInteger}));
    ASSERT_TRUE(service_->delete_metadata_index(context_, "words", "lang"));
    EXPECT_EQ(service_->delete_metadata_index(context_, "words", "lang").error().code(), Code::kNotFound);
    EXPECT_EQ(
        service_->put_metadata_index(context_, "nowhere", {"a", MetadataIndexType::kBool}).error().code(),
        Code::kNotFound);
    const std::vector<model::MetadataField> wanted{{"year", MetadataIndexType::kInteger}};
    EXPECT_EQ(declared(), wanted);
    stop();
    start();
    EXPECT_EQ(declared(), wanted);
    for (size_t i = 1; i < model::kMetadataIndexesMax; ++i) {
        ASSERT_TRUE(service_->put_metadata_index(context_, "words",
                                                 {"f" + std::to_string(i), MetadataIndexType::kUuid}));
    }
    EXPECT_EQ(
        service_->put_metadata_index(context_, "words", {"one", MetadataIndexType::kUuid}).error().code(),
        Code::kInvalidArgument);
    EXPECT_EQ(declared().size(), model::kMetadataIndexesMax);
}

TEST_F(ServiceTest, ADroppedCollectionIsGoneAndItsNameIsFree) {
    ASSERT_TRUE(service_->create_collection(context_, {"words", 16, model::Metric::kCosine}).has_value());
    EXPECT_EQ(service_->create_collection(context_, {"words", 16, model::Metric::kCosine}).error().code(),
              Code::kAlreadyExists);
    ASSERT_TRUE(upsert({document(1)}).has_value());
    const auto held = directory_->find({{}, "words"}).value();
    ASSERT_TRUE(service_->delete_collection(context_, "words").has_value());
    EXPECT_EQ(service_->count_documents(context_, "words", nullptr).error().code(), Code::kNotFound);
    EXPECT_EQ(held->count(nullptr).value(), 1u) << "a running search keeps its snapshot";
    ASSERT_TRUE(service_->create_collection(context_, {"words", 32, model::Metric::kDot}).has_value());
    EXPECT_EQ(service_->count_documents(context_, "words", nullptr).value(), 0u);
    stop();
    EXPECT_EQ(directories(), 1u);
    start();
    EXPECT_EQ(service_->describe_collection(context_, "words").value().spec.dimension, 32u);
}

TEST_F(ServiceTest, ADamagedCollectionIsQuarantinedAndTheOthersServe) {
    ASSERT_TRUE(service_->create_collection(context_, {"good", 16, model::Metric::kCosine}).has_value());
    const auto bad = service_->create_collection(context_, {"bad", 16, model::Metric::kCosine}).value();
    stop();
    std::filesystem::remove_all(root_ + "/collections/" + bad.spec.id.to_string());
    start();
    EXPECT_TRUE(service_->count_documents(context_, "good", nullptr).has_value());
    EXPECT_EQ(service_->count_documents(context_, "bad", nullptr).error().code(), Code::kDataLoss);
    Lifecycle lifecycle(*clock_);
    EXPECT_FALSE(lifecycle.readiness().is_ready);
    lifecycle.attach(*directory_);
    EXPECT_TRUE(lifecycle.readiness().is_ready) << "quarantine does not flip the probe";
    EXPECT_EQ(lifecycle.readiness().quarantined, std::vector<std::string>{"bad"});
    lifecycle.begin_draining();
    EXPECT_EQ(lifecycle.readiness().reason, "draining");
}

TEST_F(ServiceTest, ACollectionWithoutSpaceToOpenWaitsForIt) {
    ASSERT_TRUE(service_->create_collection(context_, {"words", 16, model::Metric::kL2}).has_value());
    ASSERT_TRUE(upsert({document(1)}).has_value());
    stop();
    auto failing = std::make_unique<storage::FaultyFileSystem>();
    storage::FaultyFileSystem& disk = *failing;
    files_ = std::move(failing);
    disk.fail(storage::FaultyFileSystem::Call::kPreallocate, Code::kDiskFull);
    start();
    EXPECT_EQ(directory_->describe({{}, "words"})->condition, Condition::kNoSpace);
    EXPECT_EQ(service_->count_documents(context_, "words", nullptr).error().code(), Code::kDiskFull);
    EXPECT_TRUE(directory_->quarantined().empty());

    const auto try_again = [&] {
        directory_->tend(*pool_);
        while (pool_->pending() > 0) {
            std::this_thread::yield();
        }
    };
    try_again();
    EXPECT_EQ(directory_->describe({{}, "words"})->condition, Condition::kNoSpace);
    disk.heal();
    // The last job may still be on its way out when it is asked again.
    while (directory_->describe({{}, "words"})->condition == Condition::kNoSpace) {
        try_again();
    }
    EXPECT_EQ(service_->count_documents(context_, "words", nullptr).value(), 1u);
    stop();
    files_ = io::make_posix_file_system();
    start();
}

}  // namespace
}  // namespace akidb::service
