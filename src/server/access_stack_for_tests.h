// A server as tests of access need it: both protocols over one service, with accounts, and collections in two
// tenants. REST is asked without sockets, gRPC over loopback with messages as bytes.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "access/audit_log.h"
#include "rest/api_for_tests.h"
#include "rest/filter_codec.h"
#include "rpc/grpc_server.h"
#include "service/accounts_for_tests.h"
#include "storage/files_for_tests.h"

namespace akidb::server {

class AccessStack : public testing::Test {
  protected:
    static constexpr const char* kPassword = "a good long password";

    explicit AccessStack(service::AccessOptions options = {.mode = service::AuthMode::kOn}) {
        // In memory where there is such a place: nothing here is about the disk.
        const std::filesystem::path shared = "/dev/shm";
        std::string pattern =
            ((std::filesystem::is_directory(shared) ? shared : std::filesystem::temp_directory_path()) /
             "akidb-access-XXXXXX")
                .string();
        root_ = ::mkdtemp(pattern.data());
        EXPECT_TRUE(files_->make_directory(root_ + "/collections"));
        catalog_ = catalog::Catalog::open(root_ + "/catalog.db").value();
        store_ = catalog::AccessStore::open(root_ + "/catalog.db").value();
        audit_files_.skip_syncs();
        audit_ =
            access::AuditLog::open(audit_files_, *clock_, *random_, root_ + "/audit", audit_key_).value();
        control_ = std::make_unique<service::AccessControl>(book_, *clock_, metrics_, options, audit_.get());
        accounts_ = std::make_unique<service::Accounts>(service::Accounts::Dependencies{
            *store_, book_, *control_, hasher_, *clock_, *random_, rest::read_row_rule});
        EXPECT_TRUE(accounts_->load());
        directory_ = std::make_unique<service::Directory>(
            engine::Dependencies{*files_, *clock_, *pool_, logger_, metrics_, nullptr, pool_.get()}, *random_,
            *catalog_, root_ + "/collections", engine::CollectionOptions{});
        service_ = std::make_unique<service::Service>(*directory_, *clock_, *random_, control_.get(),
                                                      accounts_.get());
        EXPECT_TRUE(directory_->start_loading(*pool_));
        lifecycle_.attach(*directory_);
        api_ = rest::make_api({lifecycle_, *workers_, *clock_, metrics_, logger_});
        api_->attach_service(*service_);
        server_ =
            rpc::GrpcServer::listen({}, {*workers_, *clock_, *random_, metrics_, logger_, memory_}).value();
        server_->attach_service(*service_);
        channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                       grpc::InsecureChannelCredentials());
        stub_ = std::make_unique<grpc::GenericStub>(channel_);
    }
    ~AccessStack() override {
        server_->stop(2000);
        workers_.reset();
        EXPECT_TRUE(directory_->close_all(false));
        while (pool_->pending() > 0) {
            std::this_thread::yield();
        }
        pool_.reset();
        std::filesystem::remove_all(root_);
    }

    rest::HttpResponse ask(const service::Credentials& who, const std::string& method,
                           const std::string& target, std::string body = "") {
        rest::HttpRequest request;
        request.method = method;
        request.path = target.substr(0, target.find('?'));
        request.query = request.path == target ? "" : target.substr(request.path.size() + 1);
        request.content_type = body.empty() ? "" : "application/json";
        request.body = std::move(body);
        request.request_id = "request-1";
        request.credentials = who;
        auto answer = std::make_shared<std::promise<rest::HttpResponse>>();
        std::future<rest::HttpResponse> waiting = answer->get_future();
        api_->handle(std::move(request),
                     [answer](rest::HttpResponse response) { answer->set_value(std::move(response)); });
        return waiting.get();
    }
    static service::Credentials bearer(const std::string& token) {
        return {.authorization = {"Bearer " + token}};
    }
    rest::HttpResponse ask(const std::string& token, const std::string& method, const std::string& target,
                           std::string body = "") {
        return ask(token.empty() ? service::Credentials{} : bearer(token), method, target, std::move(body));
    }
    /// `method`: as the table of methods names it; `message`: its bytes.
    grpc::Status call(const service::Credentials& who, std::string_view method, const std::string& message,
                      std::string* reply_bytes = nullptr) {
        grpc::ClientContext context;
        for (const std::string& value : who.authorization) {
            context.AddMetadata("authorization", value);
        }
        for (const std::string& value : who.api_key) {
            context.AddMetadata("api-key", value);
        }
        grpc::CompletionQueue queue;
        const grpc::Slice slice(message);
        const grpc::ByteBuffer request(&slice, 1);
        grpc::ByteBuffer reply;
        grpc::Status status;
        auto reader = stub_->PrepareUnaryCall(&context, "/akidb.v1." + std::string(method), request, &queue);
        reader->StartCall();
        reader->Finish(&reply, &status, nullptr);
        void* tag = nullptr;
        bool is_well = false;
        queue.Next(&tag, &is_well);
        std::vector<grpc::Slice> slices;
        if (reply_bytes != nullptr && status.ok() && reply.Dump(&slices).ok()) {
            for (const grpc::Slice& part : slices) {
                reply_bytes->append(reinterpret_cast<const char*>(part.begin()), part.size());
            }
        }
        return status;
    }

    static bool says(const std::string& text, std::string_view what) {
        return text.find(what) != std::string::npos;
    }
    /// The value of the last member of this name that is a string.
    static std::string text_in(const std::string& json, const std::string& name) {
        const size_t at = json.rfind("\"" + name + "\":\"");
        if (at == std::string::npos) {
            return {};
        }
        const size_t from = at + name.size() + 4;
        return json.substr(from, json.find('"', from) - from);
    }
    std::string set_up() {
        const std::string setup = accounts_->make_setup_token();
        const rest::HttpResponse made = ask(
            "", "POST", "/api/v1/auth/setup",
            R"({"token":")" + setup + R"(","email":"root@example.com","password":")" + kPassword + R"("})");
        EXPECT_EQ(made.status, 200) << made.body;
        return text_in(made.body, "token");
    }
    std::string log_in(const std::string& email, const std::string& tenant) {
        const rest::HttpResponse answer = ask(
            "", "POST", "/api/v1/auth/login",
            R"({"email":")" + email + R"(","password":")" + kPassword + R"(","tenant":")" + tenant + R"("})");
        EXPECT_EQ(answer.status, 200) << answer.body;
        return text_in(answer.body, "token");
    }
    /// `members`: of the key, as JSON.
    std::string make_key(const std::string& admin, const std::string& members) {
        const rest::HttpResponse made = ask(admin, "POST", "/api/v1/keys", R"({"name":"k",)" + members + "}");
        EXPECT_EQ(made.status, 201) << made.body;
        return text_in(made.body, "key");
    }

    std::string root_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    NullLogger logger_;
    telemetry::Metrics metrics_;
    service::Lifecycle lifecycle_{*clock_};
    service::MemoryBudget memory_{64 << 20, metrics_};
    std::unique_ptr<io::ThreadPool> pool_ =
        std::make_unique<io::ThreadPool>(io::ThreadPoolOptions{.name = "pool", .threads = 2});
    std::unique_ptr<io::ThreadPool> workers_ =
        std::make_unique<io::ThreadPool>(io::ThreadPoolOptions{.name = "workers", .threads = 2});
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<catalog::AccessStore> store_;
    storage::FaultyFileSystem audit_files_;
    access::AuditKey audit_key_ = access::AuditKey::make(*random_);
    std::unique_ptr<access::AuditLog> audit_;
    service::AccessBook book_;
    io::ThreadPool hashing_{{.name = "hash", .threads = 1}};
    access::PasswordHasher hasher_{*random_, *clock_, hashing_, service::kCheapPasswords};
    std::unique_ptr<service::AccessControl> control_;
    std::unique_ptr<service::Accounts> accounts_;
    std::unique_ptr<service::Directory> directory_;
    std::unique_ptr<service::Service> service_;
    std::unique_ptr<rest::Api> api_;
    std::unique_ptr<rpc::GrpcServer> server_;
    std::shared_ptr<grpc::Channel> channel_;
    std::unique_ptr<grpc::GenericStub> stub_;
};

}  // namespace akidb::server
