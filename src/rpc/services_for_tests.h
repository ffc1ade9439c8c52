// A gRPC server on a free port of loopback over a real service on a real disk, and stubs that call it. Jobs
// of the workers run at once, or wait until a test says so, or are refused.
#pragma once

#include <akidb/v1/collections.grpc.pb.h>
#include <akidb/v1/documents.grpc.pb.h>
#include <akidb/v1/search.grpc.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "base/mutex.h"
#include "io/posix_file_system.h"
#include "rpc/grpc_server.h"
#include "service/directory.h"
#include "service/service.h"

namespace akidb::rpc {

/// Runs jobs on threads; keeps them, drops them or refuses them while told so.
class StoppableExecutor final : public io::Executor {
  public:
    enum class Mode : uint8_t { kRun, kHold, kRefuse };

    bool submit(std::string name, Job job) override {
        {
            MutexLock lock(mutex_);
            if (mode_ != Mode::kRun) {
                if (mode_ == Mode::kHold) {
                    held_.push_back(std::move(job));
                    changed_.notify_all();
                }
                return mode_ == Mode::kHold;
            }
        }
        return pool_.submit(std::move(name), std::move(job));
    }
    void set_mode(Mode mode) {
        MutexLock lock(mutex_);
        mode_ = mode;
    }
    /// Waits until `count` jobs are held, and takes them.
    std::vector<Job> take(size_t count) {
        MutexLock lock(mutex_);
        while (held_.size() < count) {
            changed_.wait(mutex_);
        }
        return std::exchange(held_, {});
    }

  private:
    Mutex mutex_;
    CondVar changed_;
    Mode mode_ AKIDB_GUARDED_BY(mutex_) = Mode::kRun;
    std::vector<Job> held_ AKIDB_GUARDED_BY(mutex_);
    io::ThreadPool pool_{{.name = "workers", .threads = 2}};
};

/// Keeps the facts of each request, as "key=value" behind each other.
class RequestLines final : public Logger {
  public:
    void log(LogLevel level, std::string_view, std::initializer_list<LogField> fields) override {
        std::string line;
        for (const LogField& field : fields) {
            line.append(field.key).append("=").append(field.value).append(" ");
        }
        MutexLock lock(mutex_);
        if (level == LogLevel::kDebug) {
            lines_.push_back(std::move(line));
        }
    }
    std::vector<std::string> lines() const {
        MutexLock lock(mutex_);
        return lines_;
    }

  private:
    mutable Mutex mutex_;
    std::vector<std::string> lines_ AKIDB_GUARDED_BY(mutex_);
};

class ServicesTest : public testing::Test {
  protected:
    static constexpr int kDimension = 16;
    static constexpr uint64_t kMemoryBytes = 64 << 20;

    ServicesTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "akidb-rpc-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        EXPECT_TRUE(files_->make_directory(root_ + "/collections"));
        catalog_ = std::move(catalog::Catalog::open(root_ + "/catalog.db")).value();
        directory_ = std::make_unique<service::Directory>(
            engine::Dependencies{*files_, *clock_, *pool_, logger_, metrics_, nullptr, pool_.get()}, *random_,
            *catalog_, root_ + "/collections", engine::CollectionOptions{});
        service_ = std::make_unique<service::Service>(*directory_, *clock_, *random_);
        Result<std::unique_ptr<GrpcServer>> server =
            GrpcServer::listen({}, {workers_, *clock_, *random_, metrics_, logger_, memory_});
        EXPECT_TRUE(server);
        server_ = std::move(server).value();
        grpc::ChannelArguments arguments;
        arguments.SetMaxReceiveMessageSize(-1);
        arguments.SetMaxSendMessageSize(-1);
        channel_ = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server_->port()),
                                             grpc::InsecureChannelCredentials(), arguments);
        collections_ = v1::CollectionService::NewStub(channel_);
        documents_ = v1::DocumentService::NewStub(channel_);
        searches_ = v1::SearchService::NewStub(channel_);
    }
    ~ServicesTest() override {
        server_->stop(2000);
        EXPECT_TRUE(directory_->close_all(false));
        while (pool_->pending() > 0) {
            std::this_thread::yield();
        }
        pool_.reset();
        std::filesystem::remove_all(root_);
    }
    void load() {
        ASSERT_TRUE(directory_->start_loading(*pool_));
        while (!directory_->progress().finished) {
            std::this_thread::yield();
        }
        server_->attach_service(*service_);
    }
    void load_words() {
        load();
        grpc::ClientContext context;
        v1::CreateCollectionRequest request;
        request.set_name("words");
        request.set_dimension(kDimension);
        request.set_metric(v1::METRIC_L2);
        v1::Collection made;
        const grpc::Status status = collections_->Create(&context, request, &made);
        ASSERT_TRUE(status.ok()) << status.error_message();
    }
    static void fill(v1::Document& document, uint64_t number) {
        document.mutable_id()->set_number(number);
        for (int i = 0; i < kDimension; ++i) {
            document.add_vector(static_cast<float>(number % 100'000) + 0.5F * static_cast<float>(i));
        }
    }
    static v1::UpsertRequest batch(uint64_t first, uint64_t count) {
        v1::UpsertRequest request;
        request.set_collection("words");
        for (uint64_t i = 0; i < count; ++i) {
            fill(*request.add_documents(), first + i);
        }
        return request;
    }
    v1::UpsertResponse put(const v1::UpsertRequest& request) {
        grpc::ClientContext context;
        v1::UpsertResponse reply;
        const grpc::Status status = documents_->Upsert(&context, request, &reply);
        EXPECT_TRUE(status.ok()) << status.error_message();
        return reply;
    }
    uint64_t count() {
        grpc::ClientContext context;
        v1::CountRequest request;
        request.set_collection("words");
        v1::CountResponse reply;
        const grpc::Status status = documents_->Count(&context, request, &reply);
        EXPECT_TRUE(status.ok()) << status.error_message();
        return reply.count();
    }
    static std::string trailing(const grpc::ClientContext& context, const std::string& name) {
        return text_of(context.GetServerTrailingMetadata(), name);
    }
    static std::string initial(const grpc::ClientContext& context, const std::string& name) {
        return text_of(context.GetServerInitialMetadata(), name);
    }

    std::string root_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    RequestLines logger_;
    telemetry::Metrics metrics_;
    service::MemoryBudget memory_{kMemoryBytes, metrics_};
    std::unique_ptr<io::ThreadPool> pool_ =
        std::make_unique<io::ThreadPool>(io::ThreadPoolOptions{.name = "pool", .threads = 2});
    StoppableExecutor workers_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<service::Directory> directory_;
    std::unique_ptr<service::Service> service_;
    std::unique_ptr<GrpcServer> server_;
    std::shared_ptr<grpc::Channel> channel_;
    std::unique_ptr<v1::CollectionService::Stub> collections_;
    std::unique_ptr<v1::DocumentService::Stub> documents_;
    std::unique_ptr<v1::SearchService::Stub> searches_;

  private:
    static std::string text_of(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata,
                               const std::string& name) {
        const auto found = metadata.find(name);
        return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
    }
};

}  // namespace akidb::rpc
