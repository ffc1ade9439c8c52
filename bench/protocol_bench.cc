// protocol_bench: the same searches over REST and over gRPC, side by side in one run: one after another,
// filtered, in groups and in batches, and next to nothing, by several connections that wait for each answer.
// Protocols take turns within each round, so what disturbs the machine disturbs both; medians of the rounds
// are printed. Client and server share the machine. Vectors are made: random mixtures of few directions, as
// embeddings are.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <thread>

#include "akidb/v1/documents.grpc.pb.h"
#include "akidb/v1/search.grpc.pb.h"
#include "bench/bars.h"
#include "bench/bench_main.h"
#include "bench/bench_server.h"

namespace akidb::bench {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr size_t kQueries = 1'000;
constexpr size_t kBatchQueries = 100;
constexpr size_t kTags = 10;
constexpr size_t kLatent = 24;

struct Options {
    size_t rows = 50'000;
    size_t dimension = 768;
    double seconds = 2;
    unsigned rounds = 3;
    std::vector<unsigned> connections{1, 4, 16};
};

/// kCount asks how many documents there are, which is known: what a request costs whatever it asks for.
enum class Kind { kPlain, kFiltered, kGrouped, kBatch, kCount };
constexpr const char* kKindNames[] = {"search", "filtered", "grouped", "batch of 100", "count of all"};

std::vector<std::vector<float>> make_vectors(size_t count, size_t dimension, uint64_t seed) {
    std::mt19937_64 directions(7);
    std::normal_distribution<float> normal;
    std::vector<std::vector<float>> basis(kLatent, std::vector<float>(dimension));
    for (auto& direction : basis) {
        std::generate(direction.begin(), direction.end(), [&] { return normal(directions); });
    }
    std::mt19937_64 chance(seed);
    std::vector<std::vector<float>> vectors(count, std::vector<float>(dimension));
    for (auto& vector : vectors) {
        for (const auto& direction : basis) {
            const float weight = normal(chance);
            for (size_t i = 0; i < dimension; ++i) {
                vector[i] += weight * direction[i];
            }
        }
        for (float& component : vector) {
            component += 0.3F * normal(chance);
        }
    }
    return vectors;
}

/// One client of one protocol: asks query i, and waits.
using Ask = std::function<void(size_t query)>;

json body_of(const std::vector<float>& vector, Kind kind) {
    json body = {{"vector", vector}, {"top_k", 10}};
    if (kind == Kind::kFiltered) {
        body["filter"] = {{"must", {{{"key", "tag"}, {"match", {{"value", "t3"}}}}}}};
    } else if (kind == Kind::kGrouped) {
        body["group_by"] = {{"key", "tag"}, {"size", 2}};
        body["top_k"] = 5;
    }
    return body;
}

v1::SearchRequest request_of(const std::vector<float>& vector, Kind kind) {
    v1::SearchRequest request;
    request.set_collection("c");
    request.mutable_vector()->Add(vector.begin(), vector.end());
    request.set_top_k(kind == Kind::kGrouped ? 5 : 10);
    if (kind == Kind::kFiltered) {
        v1::Condition& condition = *request.mutable_filter()->add_must();
        condition.set_key("tag");
        condition.mutable_match()->mutable_value()->set_string_value("t3");
    } else if (kind == Kind::kGrouped) {
        request.mutable_group_by()->set_key("tag");
        request.mutable_group_by()->set_size(2);
    }
    return request;
}

std::vector<std::string> rest_bodies(const std::vector<std::vector<float>>& queries, Kind kind) {
    std::vector<std::string> bodies;
    if (kind == Kind::kCount) {
        return {"{}"};
    }
    for (size_t i = 0; i < queries.size(); i += kind == Kind::kBatch ? kBatchQueries : 1) {
        json body = body_of(queries[i], kind);
        if (kind == Kind::kBatch) {
            json searches = json::array();
            for (size_t at = i; at < std::min(queries.size(), i + kBatchQueries); ++at) {
                searches.push_back(body_of(queries[at], kind));
            }
            body = {{"searches", searches}};
        }
        bodies.push_back(body.dump());
    }
    return bodies;
}

Ask rest_client(const BenchServer& server, const std::vector<std::string>& bodies, Kind kind) {
    auto connection = std::make_shared<support::HttpConnection>(server.endpoint());
    const std::string path = std::string("/api/v1/collections/c/") + (kind == Kind::kBatch   ? "search/batch"
                                                                      : kind == Kind::kCount ? "count"
                                                                                             : "search");
    return [connection, path, &bodies](size_t query) {
        if (connection->request("POST", path, bodies[query % bodies.size()]).status != 200) {
            throw std::runtime_error("an answer over REST is no success");
        }
    };
}

Ask rpc_client(const std::string& address, const std::vector<std::vector<float>>& queries, Kind kind) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    arguments.SetMaxReceiveMessageSize(-1);
    auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
    std::shared_ptr<v1::SearchService::Stub> stub = v1::SearchService::NewStub(channel);
    const auto check = [](const grpc::Status& status) {
        if (!status.ok()) {
            throw std::runtime_error("an answer over gRPC is no success: " + status.error_message());
        }
    };
    if (kind == Kind::kCount) {
        std::shared_ptr<v1::DocumentService::Stub> documents = v1::DocumentService::NewStub(channel);
        return [documents, check](size_t) {
            grpc::ClientContext context;
            v1::CountRequest request;
            request.set_collection("c");
            v1::CountResponse response;
            check(documents->Count(&context, request, &response));
        };
    }
    if (kind == Kind::kBatch) {
        auto batches = std::make_shared<std::vector<v1::SearchBatchRequest>>();
        for (size_t i = 0; i < queries.size(); i += kBatchQueries) {
            v1::SearchBatchRequest& batch = batches->emplace_back();
            batch.set_collection("c");
            for (size_t at = i; at < std::min(queries.size(), i + kBatchQueries); ++at) {
                *batch.add_searches() = request_of(queries[at], kind);
            }
        }
        return [stub, batches, check](size_t query) {
            grpc::ClientContext context;
            v1::SearchBatchResponse response;
            check(stub->SearchBatch(&context, (*batches)[query % batches->size()], &response));
        };
    }
    auto requests = std::make_shared<std::vector<v1::SearchRequest>>();
    for (const auto& query : queries) {
        requests->push_back(request_of(query, kind));
    }
    return [stub, requests, check](size_t query) {
        grpc::ClientContext context;
        v1::SearchResponse response;
        check(stub->Search(&context, (*requests)[query % requests->size()], &response));
    };
}

struct Measured {
    double queries_per_s = 0;
    double p95_ms = 0;
};

Measured measure(std::vector<Ask>& clients, double seconds, size_t queries_per_ask) {
    std::vector<std::vector<double>> times(clients.size());
    std::vector<std::thread> threads;
    std::atomic<bool> is_over{false};
    std::atomic<bool> has_failed{false};
    const auto began = Clock::now();
    for (size_t client = 0; client < clients.size(); ++client) {
        threads.emplace_back([&, client] {
            try {
                for (size_t query = client * 37; !is_over; ++query) {
                    const auto asked = Clock::now();
                    clients[client](query);
                    times[client].push_back(
                        std::chrono::duration<double, std::milli>(Clock::now() - asked).count());
                }
            } catch (const std::exception& fault) {
                std::fprintf(stderr, "%s\n", fault.what());
                has_failed = true;
            }
        });
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    is_over = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
    if (has_failed) {
        throw std::runtime_error("a client failed");
    }
    const double elapsed = std::chrono::duration<double>(Clock::now() - began).count();
    std::vector<double> all;
    for (const auto& some : times) {
        all.insert(all.end(), some.begin(), some.end());
    }
    std::sort(all.begin(), all.end());
    return {static_cast<double>(all.size() * queries_per_ask) / elapsed,
            all.empty() ? 0 : all[all.size() * 95 / 100]};
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void load(BenchServer& server, const Options& options) {
    server.ask("POST", "/api/v1/collections",
               {{"name", "c"},
                {"dimension", options.dimension},
                {"metric", "cosine"},
                {"metadata_indexes", {{"tag", "keyword"}}}});
    constexpr size_t kDocuments = 500;
    constexpr size_t kLinkedBetween = 100'000;  // else index.head_rows_max refuses the rest
    const auto vectors = make_vectors(options.rows, options.dimension, 11);
    for (size_t begin = 0; begin < options.rows; begin += kDocuments) {
        json documents = json::array();
        for (size_t i = begin; i < std::min(options.rows, begin + kDocuments); ++i) {
            documents.push_back({{"id", i},
                                 {"vector", vectors[i]},
                                 {"metadata", {{"tag", "t" + std::to_string(i % kTags)}, {"n", i}}}});
        }
        server.ask("PUT", "/api/v1/collections/c/documents", {{"documents", documents}});
        if (begin % kLinkedBetween == 0) {
            server.await_linked("c");
        }
    }
    server.await_linked("c");
}

void run(const Options& options) {
    BenchServer server({});
    load(server, options);
    Bars bars;
    bars.heading("protocols: " + std::to_string(options.rows) + " x " + std::to_string(options.dimension) +
                 ", cosine, default recall; medians of " + std::to_string(options.rounds) + " rounds of " +
                 std::to_string(options.seconds).substr(0, 4) + " s in turn");
    const auto queries = make_vectors(kQueries, options.dimension, 12);
    std::map<std::pair<Kind, unsigned>, double> rest_rates;
    for (const Kind kind : {Kind::kPlain, Kind::kFiltered, Kind::kGrouped, Kind::kBatch, Kind::kCount}) {
        const std::vector<std::string> bodies = rest_bodies(queries, kind);
        for (const unsigned connections : options.connections) {
            std::vector<Ask> rest;
            std::vector<Ask> rpc;
            for (unsigned i = 0; i < connections; ++i) {
                rest.push_back(rest_client(server, bodies, kind));
                rpc.push_back(rpc_client(server.grpc_address(), queries, kind));
            }
            std::map<std::string, std::vector<double>> found;
            const size_t queries_per_ask = kind == Kind::kBatch ? kBatchQueries : 1;
            for (unsigned round = 0; round < options.rounds; ++round) {
                const Measured by_rest = measure(rest, options.seconds, queries_per_ask);
                const Measured by_rpc = measure(rpc, options.seconds, queries_per_ask);
                found["rest"].push_back(by_rest.queries_per_s);
                found["rpc"].push_back(by_rpc.queries_per_s);
                found["rest p95"].push_back(by_rest.p95_ms);
                found["rpc p95"].push_back(by_rpc.p95_ms);
            }
            const std::string what = std::string(kKindNames[static_cast<size_t>(kind)]) + ", " +
                                     std::to_string(connections) + " connections: ";
            bars.line(what + "REST", median(found["rest"]), "queries/s");
            bars.line(what + "gRPC", median(found["rpc"]), "queries/s");
            bars.line(what + "REST P95", median(found["rest p95"]), "ms");
            bars.line(what + "gRPC P95", median(found["rpc p95"]), "ms");
            const double ratio = median(found["rpc"]) / median(found["rest"]);
            if (kind == Kind::kPlain) {
                bars.at_least(1.3, what + "gRPC over REST", ratio, "times");
            } else {
                bars.line(what + "gRPC over REST", ratio, "times");
            }
            rest_rates[{kind, connections}] = median(found["rest"]);
            if (kind == Kind::kBatch) {
                bars.at_least(1.5, what + "batch over single, REST",
                              rest_rates[{kind, connections}] / rest_rates[{Kind::kPlain, connections}],
                              "times");
            }
        }
    }
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    akidb::bench::Options options;
    CLI::App app("The same searches over REST and over gRPC, side by side", "protocol_bench");
    app.add_option("--rows", options.rows)->capture_default_str();
    app.add_option("--dimension", options.dimension)->capture_default_str();
    app.add_option("--seconds", options.seconds, "of each measurement")->capture_default_str();
    app.add_option("--rounds", options.rounds)->capture_default_str();
    app.add_option("--connections", options.connections)->capture_default_str();
    return akidb::bench::bench_main(app, "protocol_bench", argc, argv, [&] { akidb::bench::run(options); });
}
