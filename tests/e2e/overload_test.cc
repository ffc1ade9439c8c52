// More than the server may take: uploads beyond its memory budget, connections beyond its file descriptors.
// What fits goes on, what does not is told so, and afterwards all is as before, without a restart.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "json_requests.h"
#include "support/http_client.h"

namespace akidb::e2e {
namespace {

using testing::HasSubstr;

constexpr const char* kOverloaded = "/api/v1/collections/c/documents";
constexpr uint64_t kMiB = 1 << 20;

class Overload : public testing::Test {
  protected:
    void start(std::vector<std::string> flags) {
        auto started = ServerProcess::start({.data_directory = directory_.path(), .flags = std::move(flags)});
        ASSERT_TRUE(started) << started.error().message();
        server_ = std::move(*started);
        ASSERT_TRUE(server_->wait_until_ready());
        ASSERT_EQ(ask(*server_, "POST", "/api/v1/collections", collection_named("c")).status, 201);
    }
    double metric(const std::string& name) const {
        const std::string text = get_url(server_->metrics_url() + "/metrics").body.get<std::string>();
        const size_t at = text.find("\n" + name + " ");
        return at == std::string::npos ? 0 : std::stod(text.substr(at + name.size() + 2));
    }
    /// The most that was ever resident.
    uint64_t peak_bytes() const {
        std::ifstream file("/proc/" + std::to_string(server_->pid()) + "/status");
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("VmHWM:")) {
                return std::stoull(line.substr(6)) * 1024;
            }
        }
        return 0;
    }
    uint64_t count() const {
        return ask(*server_, "POST", "/api/v1/collections/c/count", Json::object()).body["count"];
    }

    /// A request gives its memory back when its answer is on its way already.
    double memory_of_requests_at_rest() {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (metric("akidb_http_request_memory_bytes") != 0 && std::chrono::steady_clock::now() < end) {
            std::this_thread::yield();
        }
        return metric("akidb_http_request_memory_bytes");
    }

    TemporaryDirectory directory_;
    std::unique_ptr<ServerProcess> server_;
};

/// `documents` of 16 KiB each, ids from `first` on; the last without a vector when it is to be refused.
std::string upload(size_t first, size_t documents, bool is_right) {
    const std::string filler(16 << 10, 'f');
    std::string body = R"({"documents":[)";
    for (size_t i = 0; i < documents; ++i) {
        Json document = document_of(first + i);
        document["metadata"]["filler"] = filler;
        if (!is_right && i + 1 == documents) {
            document.erase("vector");
        }
        body += (i == 0 ? "" : ",") + document.dump();
    }
    return body + "]}";
}

TEST_F(Overload, UploadsBeyondTheMemoryBudgetAreRefusedAndNoneIsLost) {
    constexpr uint64_t kBudget = 64 * kMiB;
    constexpr size_t kClients = 8;
    constexpr size_t kBatch = 256;  // 4 MiB of body, 16 MiB of budget: three at a time
    start({"--limits.request_memory_bytes", std::to_string(kBudget)});
    ASSERT_EQ(ask(*server_, "PUT", kOverloaded, documents_up_to(100)).status, 200);
    const support::Endpoint endpoint = support::parse_url(server_->rest_url());
    std::vector<std::string> bodies;
    for (size_t client = 0; client < kClients; ++client) {
        bodies.push_back(upload(1'000 * (client + 1), kBatch, true));
    }
    const std::string wrong = upload(0, 3 * kBatch, false);  // 12 MiB, then an error
    const uint64_t before = peak_bytes();
    std::atomic<uint64_t> refused{0};
    std::atomic<size_t> under_way{kClients};
    {
        std::vector<std::jthread> clients;
        for (size_t client = 0; client < kClients; ++client) {
            clients.emplace_back([&, client] {
                const auto send = [&](const std::string& body) {
                    support::HttpConnection connection(endpoint);
                    connection.open();
                    connection.send_bytes("PUT " + std::string(kOverloaded) +
                                          " HTTP/1.1\r\nHost: t\r\nContent-Length: " +
                                          std::to_string(body.size()) + "\r\n\r\n");
                    connection.send_bytes(body);
                    const support::HttpReply reply = connection.read_reply();
                    if (reply.status == 429) {
                        ++refused;
                        EXPECT_THAT(reply.headers, HasSubstr("retry-after: 1\r\n"));
                    }
                    return reply.status;
                };
                for (int i = 0; i < 4; ++i) {
                    EXPECT_THAT(send(wrong), testing::AnyOf(400, 429));
                }
                int status = 429;
                while (status == 429) {
                    status = send(bodies[client]);
                }
                EXPECT_EQ(status, 200);
                --under_way;
            });
        }
        const Json search = {{"vector", vector_of(7)}, {"top_k", 1}};
        while (under_way > 0) {
            const JsonReply found = ask(*server_, "POST", "/api/v1/collections/c/search", search);
            ASSERT_EQ(found.status, 200) << "a small request was refused: " << found.body;
            EXPECT_EQ(found.body["matches"][0]["id"], 7);
            EXPECT_LE(metric("akidb_http_request_memory_bytes"), static_cast<double>(kBudget));
        }
    }
    EXPECT_GT(refused, 0U);
    EXPECT_EQ(count(), 100 + kClients * kBatch);
    EXPECT_EQ(memory_of_requests_at_rest(), 0);
    EXPECT_EQ(metric("akidb_http_refused_total{reason=\"memory\"}"), static_cast<double>(refused));
    // 2 MiB for threads and their heaps.
    const uint64_t kept = kClients * kBatch * (16 << 10);
    const uint64_t grown = peak_bytes() - before;
    std::printf("refused %llu, grown by %llu MiB, of it %llu MiB of documents, budget %llu MiB\n",
                static_cast<unsigned long long>(refused), static_cast<unsigned long long>(grown / kMiB),
                static_cast<unsigned long long>(kept / kMiB),
                static_cast<unsigned long long>(kBudget / kMiB));
    if (sanitizer() == Sanitizer::kNone) {  // the others' allocators keep what is freed
        EXPECT_LT(grown, kBudget + kept + 2 * kMiB);
    }
}

void set_descriptor_limit(pid_t pid, uint64_t limit) {
    rlimit before{};
    ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &before), 0);
    const rlimit after{.rlim_cur = limit, .rlim_max = before.rlim_max};
    ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &after, nullptr), 0);
}

uint64_t open_descriptors(pid_t pid) {
    const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
    return static_cast<uint64_t>(std::distance(begin(all), end(all)));
}

double processor_seconds(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) {
        fields >> skipped;
    }
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

TEST_F(Overload, WithoutDescriptorsItServesWhoIsThereAndRecovers) {
    if (sanitizer() == Sanitizer::kAddress) {
        GTEST_SKIP() << "the sanitizer asks by a pipe whether memory is there, and takes EMFILE for no";
    }
    start({"--storage.log_file_bytes", std::to_string(kMiB), "--storage.checkpoint_log_bytes",
           std::to_string(kMiB)});
    support::HttpConnection established(support::parse_url(server_->rest_url()));
    size_t acknowledged = 0;
    size_t refused = 0;
    const auto put = [&](size_t first) {  // 64 KiB, so that log files fill up
        const support::HttpReply reply = established.request("PUT", kOverloaded, upload(first, 4, true));
        if (reply.status == 200) {
            acknowledged += 4;
        } else {
            EXPECT_EQ(reply.status, 503) << reply.body;
            EXPECT_THAT(reply.body, HasSubstr("Too many open files"));
            ++refused;
        }
    };
    put(0);
    ASSERT_EQ(acknowledged, 4U);
    set_descriptor_limit(server_->pid(), open_descriptors(server_->pid()) + 4);
    std::vector<std::unique_ptr<support::HttpConnection>> flood;
    for (int i = 0; i < 40; ++i) {  // the kernel takes them; the server cannot
        flood.push_back(std::make_unique<support::HttpConnection>(support::parse_url(server_->rest_url())));
        flood.back()->open();
    }
    const double before = processor_seconds(server_->pid());
    std::this_thread::sleep_for(std::chrono::seconds(1));  // what is measured is this second
    EXPECT_LT(processor_seconds(server_->pid()) - before, 0.3) << "it spins";
    for (size_t i = 1; i <= 60; ++i) {
        put(4 * i);
        EXPECT_EQ(established.request("GET", std::string(kOverloaded) + "/1").status, 200);
    }
    EXPECT_GT(refused, 0U) << "no log file had to be made: the test is too small";
    EXPECT_TRUE(server_->is_running());
    flood.clear();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    size_t next = 10'000;
    for (size_t done = acknowledged; acknowledged == done && std::chrono::steady_clock::now() < end;
         next += 4) {
        put(next);
    }
    EXPECT_EQ(ask(*server_, "PUT", kOverloaded, {{"documents", {document_of(90'000)}}}).status, 200)
        << "a new connection, without a restart";
    ++acknowledged;
    EXPECT_EQ(metric("akidb_collections_poisoned"), 0);
    EXPECT_EQ(count(), acknowledged);
    std::printf("acknowledged %zu, refused %zu\n", acknowledged, refused);
    server_->kill_now();
    auto again = ServerProcess::start({.data_directory = directory_.path()});
    ASSERT_TRUE(again) << again.error().message();
    server_ = std::move(*again);
    ASSERT_TRUE(server_->wait_until_ready());
    EXPECT_EQ(count(), acknowledged);
}

}  // namespace
}  // namespace akidb::e2e
