#include "bench/bench_server.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace akidb::bench {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t kThreadNameMax = 15;  // of Linux
constexpr uint32_t kStopMs = 120'000;
constexpr uint32_t kAnswerMs = 300'000;

/// The number behind `key` in a file of "key: number" lines, times 1024 where the line says kB.
uint64_t number_in(const std::string& path, std::string_view key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key)) {
            const uint64_t number = std::stoull(line.substr(key.size()));
            return line.ends_with(" kB") ? number * 1024 : number;
        }
    }
    return 0;
}

/// Allocated blocks of all files below.
uint64_t allocated_bytes(const std::string& directory) {
    uint64_t bytes = 0;
    std::error_code gone;  // files come and go while we count
    for (fs::recursive_directory_iterator at(directory, gone), end; at != end; at.increment(gone)) {
        struct stat status {};
        if (::lstat(at->path().c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
            bytes += static_cast<uint64_t>(status.st_blocks) * 512;
        }
    }
    return bytes;
}

}  // namespace

std::vector<float> random_vector(std::mt19937& random, size_t dimension) {
    std::normal_distribution<float> normal;
    std::vector<float> vector(dimension);
    std::generate(vector.begin(), vector.end(), [&] { return normal(random); });
    return vector;
}

BenchServer::BenchServer(std::vector<std::string> flags, const std::string& parent)
    : flags_({"--drain.min_ms", "0", "--limits.connections_per_address", "4096"}) {
    flags_.insert(flags_.end(), flags.begin(), flags.end());
    std::string name = (parent.empty() ? fs::temp_directory_path().string() : parent) + "/akidb-bench-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("cannot make a directory " + name);
    }
    directory_ = name;
    start();
    if (const Result<void> ready = server_->wait_until_ready(); !ready) {
        throw std::runtime_error("the server did not become ready: " + ready.error().message());
    }
}

BenchServer::~BenchServer() {
    server_.reset();
    std::error_code ignored;  // a leftover in /tmp is no reason to end a bench
    fs::remove_all(directory_, ignored);
}

void BenchServer::start() {
    e2e::ServerOptions options;
    options.data_directory = directory_ + "/data";
    options.flags = flags_;
    options.start_timeout_ms = 120'000;
    Result<std::unique_ptr<e2e::ServerProcess>> started = e2e::ServerProcess::start(options);
    if (!started) {
        throw std::runtime_error("the server did not start: " + started.error().message());
    }
    server_ = std::move(*started);
    connection_ = std::make_unique<support::HttpConnection>(endpoint(), kAnswerMs);
}

void BenchServer::await_ready() {
    while (status_of("GET", "/ready", "") != 200) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

void BenchServer::stop() {
    server_->send_signal(SIGTERM);
    const Result<int> code = server_->wait_for_exit(kStopMs);
    if (!code || *code != 0) {
        throw std::runtime_error("the server did not end with 0: " + server_->log());
    }
}

void BenchServer::kill() {
    server_->kill_now();
}

Json BenchServer::ask(std::string_view method, const std::string& path, const Json& body) {
    const support::HttpReply reply =
        connection_->request(method, path, body.is_null() ? std::string() : body.dump());
    if (reply.status < 200 || reply.status > 299) {
        throw std::runtime_error(path + " was answered " + std::to_string(reply.status) + " " + reply.body);
    }
    return Json::parse(reply.body);
}

int BenchServer::status_of(std::string_view method, const std::string& path, const std::string& body) {
    try {
        return connection_->request(method, path, body).status;
    } catch (const support::HttpFault&) {
        return 0;
    }
}

void BenchServer::create(const std::string& collection, size_t dimension, const std::string& metric) {
    ask("POST", "/api/v1/collections", {{"name", collection}, {"dimension", dimension}, {"metric", metric}});
}

void BenchServer::create_filled(const std::string& collection, size_t rows, size_t dimension) {
    constexpr size_t kBatch = 1'000;
    create(collection, dimension, "cosine");
    std::mt19937 random(11);
    for (size_t begin = 0; begin < rows; begin += kBatch) {
        Json documents = Json::array();
        for (size_t id = begin; id < std::min(rows, begin + kBatch); ++id) {
            documents.push_back({{"id", id}, {"vector", random_vector(random, dimension)}});
        }
        ask("PUT", "/api/v1/collections/" + collection + "/documents", {{"documents", std::move(documents)}});
    }
    await_linked(collection);
}

void BenchServer::await_linked(const std::string& collection) {
    const std::string path = "/api/v1/collections/" + collection + "/stats";
    while (ask("GET", path).at("head_rows").get<uint64_t>() > 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

ProcessFacts BenchServer::process() const {
    const std::string root = "/proc/" + std::to_string(server_->pid());
    ProcessFacts facts;
    facts.resident_bytes = number_in(root + "/status", "VmRSS:");
    facts.anonymous_bytes = number_in(root + "/status", "RssAnon:");
    facts.threads = number_in(root + "/status", "Threads:");
    facts.written_bytes = number_in(root + "/io", "write_bytes:");
    for ([[maybe_unused]] const fs::directory_entry& entry : fs::directory_iterator(root + "/fd")) {
        ++facts.descriptors;
    }
    return facts;
}

void BenchServer::await_idle() const {
    const auto spent = [this] { return thread_seconds("maintenance"); };
    for (double before = -1; spent() > before + 0.02;) {
        before = spent();
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
}

double BenchServer::thread_seconds(std::string_view name) const {
    double seconds = 0;
    std::error_code gone;  // threads end while we count
    for (const fs::directory_entry& task :
         fs::directory_iterator("/proc/" + std::to_string(server_->pid()) + "/task", gone)) {
        std::string called;
        std::ifstream(task.path() / "comm") >> called;
        if (called.starts_with(name.substr(0, kThreadNameMax))) {
            uint64_t nanoseconds = 0;
            std::ifstream(task.path() / "schedstat") >> nanoseconds;
            seconds += static_cast<double>(nanoseconds) / 1e9;
        }
    }
    return seconds;
}

uint64_t BenchServer::disk_bytes() const {
    return allocated_bytes(directory_);
}

uint64_t BenchServer::collection_bytes() const {
    const std::string collections = directory_ + "/data/collections";
    uint64_t bytes = allocated_bytes(collections) + allocated_bytes(directory_ + "/data/staging");
    std::ifstream maps("/proc/" + std::to_string(server_->pid()) + "/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.ends_with(" (deleted)") && line.find(collections) != std::string::npos) {
            const size_t dash = line.find('-');
            bytes += std::stoull(line.substr(dash + 1), nullptr, 16) - std::stoull(line, nullptr, 16);
        }
    }
    return bytes;
}

uint64_t BenchServer::files() const {
    uint64_t count = 0;
    std::error_code gone;
    for ([[maybe_unused]] const fs::directory_entry& entry :
         fs::recursive_directory_iterator(directory_, gone)) {
        ++count;
    }
    return count;
}

}  // namespace akidb::bench
