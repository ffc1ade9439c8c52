#include "bench/load_set.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "bench/upsert_bodies.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;

constexpr size_t kTruth = 100;
constexpr size_t kNeighbours = 10;
constexpr size_t kKeptBackMax = 2'000;
constexpr size_t kBatch = 500;
constexpr uint32_t kAnswerMs = 120'000;
constexpr int kTooMany = 429;
constexpr auto kPause = std::chrono::milliseconds(50);

void must_succeed(const support::HttpReply& reply, const std::string& what) {
    if (reply.status < 200 || reply.status > 299) {
        throw std::runtime_error(what + " was answered " + std::to_string(reply.status) + " " + reply.body);
    }
}

}  // namespace

LoadSet::LoadSet(const std::string& directory, Metric metric)
    : name_(std::filesystem::path(directory).filename()),
      metric_(metric),
      vectors_(std::make_unique<VectorFile>(directory + "/base.fbin")),
      queries_(std::make_unique<VectorFile>(directory + "/query.fbin")) {}

size_t LoadSet::loaded(size_t rows) const {
    const size_t kept_back = std::min(kKeptBackMax, vectors_->rows() / 10);
    return std::min(rows, vectors_->rows() - kept_back);
}

const Truth& LoadSet::truth_over(size_t loaded) {
    for (const auto& [rows, truth] : truths_) {
        if (rows == loaded) {
            return *truth;
        }
    }
    truths_.emplace_back(loaded, std::make_unique<Truth>(exact_truth(metric_, vectors_->first(loaded),
                                                                     *queries_, std::min(kTruth, loaded))));
    return *truths_.back().second;
}

LoadSet::Judged LoadSet::judge(size_t loaded, const std::vector<std::string>& bodies,
                               const std::vector<size_t>& queries) {
    const RecallJudge recall(metric_, *vectors_, *queries_, truth_over(loaded));
    Judged judged;
    for (size_t index = 0; index < bodies.size(); ++index) {
        if (bodies[index].empty()) {
            continue;
        }
        const Json answer = Json::parse(bodies[index], nullptr, false);
        if (answer.is_discarded() || !answer.contains("matches")) {
            continue;  // a refused one counts as an error, not here
        }
        std::vector<uint32_t> rows;
        for (const Json& match : answer["matches"]) {
            rows.push_back(match.at("id").get<uint32_t>());
        }
        judged.recall += recall.recall(queries[index], rows, kNeighbours);
        ++judged.searches;
    }
    judged.recall /= static_cast<double>(std::max<size_t>(judged.searches, 1));
    return judged;
}

double LoadSet::intrinsic_dimension(size_t loaded) {
    const Truth& truth = truth_over(loaded);
    return median_intrinsic_dimension(metric_, *vectors_, *queries_, truth);
}

double load_collection(const support::Endpoint& endpoint, const std::string& collection, const LoadSet& set,
                       size_t rows, const std::string& metric) {
    support::HttpConnection connection(endpoint, kAnswerMs);
    must_succeed(
        connection.request(
            "POST", "/api/v1/collections",
            Json{{"name", collection}, {"dimension", set.vectors().dimension()}, {"metric", metric}}.dump()),
        "creating " + collection);
    const auto begin = std::chrono::steady_clock::now();
    const std::string path = "/api/v1/collections/" + collection;
    std::vector<uint32_t> numbers;
    for (size_t row = 0; row < rows; row += kBatch) {
        numbers.resize(std::min(rows, row + kBatch) - row);
        std::iota(numbers.begin(), numbers.end(), static_cast<uint32_t>(row));
        const std::string whole = upsert_request(endpoint, collection, set.vectors(), numbers);
        const std::string_view body = std::string_view(whole).substr(whole.find("\r\n\r\n") + 4);
        support::HttpReply reply = connection.request("PUT", path + "/documents", body);
        while (reply.status == kTooMany) {
            std::this_thread::sleep_for(kPause);
            reply = connection.request("PUT", path + "/documents", body);
        }
        must_succeed(reply, "an upsert");
    }
    while (Json::parse(connection.request("GET", path + "/stats").body).at("head_rows").get<uint64_t>() > 0) {
        std::this_thread::sleep_for(kPause);
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace akidb::bench
