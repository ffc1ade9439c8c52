#include "bench/search_probe.h"

#include <algorithm>
#include <functional>

namespace akidb::bench {
namespace {

constexpr size_t kNeighbours = 10;
constexpr size_t kConnections = 16;
constexpr size_t kBodiesMax = 1'000;
constexpr auto kSamplePause = std::chrono::milliseconds(100);

}  // namespace

SearchProbe::SearchProbe(const std::string& url, const std::string& collection, Metric metric, double rate,
                         const VectorFile& base, const VectorFile& queries, const Acknowledged& acknowledged)
    : metric_(metric), base_(base), queries_(queries), acknowledged_(acknowledged) {
    plan_.endpoint = support::parse_url(url);
    plan_.connections = kConnections;
    plan_.seconds = 1e6;
    plan_.rate = rate;
    const std::string path = RestCollection(url, collection).search_path();
    for (size_t row = 0; row < std::min(kBodiesMax, queries.rows()); ++row) {
        plan_.requests.push_back(
            post_request(plan_.endpoint, path, search_body(queries.row(row), {.k = kNeighbours})));
    }
    latencies_ = std::jthread([this](std::stop_token stop) {
        plan_.stop = std::move(stop);
        latency_ = run_wire_load(plan_);
    });
    sampler_ =
        std::jthread([this, url, collection](const std::stop_token& stop) { sample(stop, url, collection); });
}

SearchProbe::~SearchProbe() = default;

void SearchProbe::sample(const std::stop_token& stop, const std::string& url, const std::string& collection) {
    RestCollection server(url, collection);
    for (size_t query = 0; !stop.stop_requested(); query = (query + 1) % queries_.rows()) {
        Sample one{.query = query, .seen = {}, .rows = {}};
        for (const std::atomic<bool>& batch : acknowledged_.batches) {
            one.seen.push_back(batch.load());
        }
        for (const Found& found : server.search(search_body(queries_.row(query), {.k = kNeighbours}))) {
            one.rows.push_back(static_cast<uint32_t>(found.id));
        }
        samples_.push_back(std::move(one));
        std::this_thread::sleep_for(kSamplePause);
    }
}

double SearchProbe::recall_of(const Sample& sample) const {
    const auto query = queries_.row(sample.query);
    std::vector<float> best;
    const auto offer = [&](size_t begin, size_t end) {
        for (size_t row = begin; row < std::min(end, base_.rows()); ++row) {
            best.push_back(similarity(metric_, query, base_.row(row)));
        }
    };
    offer(0, acknowledged_.base_rows);
    for (size_t batch = 0; batch < sample.seen.size(); ++batch) {
        if (sample.seen[batch]) {
            const size_t begin = acknowledged_.base_rows + batch * acknowledged_.batch;
            offer(begin, begin + acknowledged_.batch);
        }
    }
    if (best.empty()) {
        return 1;
    }
    const size_t k = std::min(kNeighbours, best.size());
    std::nth_element(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(k - 1), best.end(),
                     std::greater<>());
    const float worst = best[k - 1] - 1e-6F;  // as recall_of of brute_force.h has it
    size_t right = 0;
    for (const uint32_t row : sample.rows) {
        right += similarity(metric_, query, base_.row(row)) >= worst ? 1 : 0;
    }
    return static_cast<double>(std::min(right, k)) / static_cast<double>(k);
}

ProbeResult SearchProbe::stop() {
    latencies_.request_stop();
    sampler_.request_stop();
    latencies_.join();
    sampler_.join();
    ProbeResult result;
    result.latency = std::move(latency_);
    result.judged = samples_.size();
    for (const Sample& sample : samples_) {
        result.recall += recall_of(sample) / static_cast<double>(samples_.size());
    }
    return result;
}

}  // namespace akidb::bench
