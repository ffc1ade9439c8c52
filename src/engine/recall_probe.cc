#include "engine/recall_probe.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace akidb::engine {
namespace {

constexpr uint64_t kProcessorTimePerProbeTime = 200;

// Every hundredth of the searches would always be the same one of who sends a hundred in turn.
uint64_t scattered(uint64_t number) {
    number += 0x9e3779b97f4a7c15;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
    number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
    return number ^ (number >> 31);
}

/// Of the scores of an answer, those that belong among the best. Documents as far away as the last of the
/// best are as good as it; and kernels for one row and for many round differently.
uint32_t count_found(const std::vector<float>& scores, const std::vector<model::SearchMatch>& best,
                     model::Metric metric) {
    constexpr float kRounding = 1e-5f;
    const float last = best.back().score;
    const float slack = kRounding * std::max(1.0f, std::abs(last));
    const auto found = std::count_if(scores.begin(), scores.end(), [&](float score) {
        return metric == model::Metric::kL2 ? score <= last + slack : score >= last - slack;
    });
    return static_cast<uint32_t>(std::min<size_t>(static_cast<size_t>(found), best.size()));
}

}  // namespace

RecallProbe::RecallProbe(io::Executor& executor, const io::Clock& clock, telemetry::Metrics& metrics,
                         RecallProbeOptions options)
    : executor_(executor),
      clock_(clock),
      processors_(options.processors),
      share_permille_(options.share_permille),
      done_(metrics.counter(telemetry::MetricId::kRecallProbes, {"done"})),
      skipped_(metrics.counter(telemetry::MetricId::kRecallProbes, {"skipped"})) {}

bool RecallProbe::wants_next() {
    const uint32_t share = share_permille_.load(std::memory_order_relaxed);
    if (share == 0 || scattered(searches_.fetch_add(1, std::memory_order_relaxed)) % 1000 >= share) {
        return false;
    }
    if (is_busy_.exchange(true, std::memory_order_acquire)) {
        skipped_.add();
        return false;
    }
    if (clock_.monotonic_us() < not_before_us_.load(std::memory_order_relaxed)) {
        is_busy_.store(false, std::memory_order_release);
        skipped_.add();
        return false;
    }
    return true;
}

void RecallProbe::take(ProbedSearch search, const model::SearchReply& reply) {
    std::vector<float> scores;
    scores.reserve(reply.matches.size());
    for (const model::SearchMatch& match : reply.matches) {
        scores.push_back(match.score);
    }
    search.request.params = {.ef = {}, .recall_target = {}, .exact = true};
    search.request.include = {.vector = false, .metadata = false};
    search.request.deadline_us.reset();
    auto job = [this, kept = std::make_shared<ProbedSearch>(std::move(search)),
                scores = std::move(scores)](const std::stop_token&) mutable {
        answer_again(*kept, scores);
        kept.reset();  // what it holds must not outlast the answer
        is_busy_.store(false, std::memory_order_release);
    };
    if (!executor_.submit("probe", std::move(job))) {
        skipped_.add();
        is_busy_.store(false, std::memory_order_release);
    }
}

void RecallProbe::answer_again(const ProbedSearch& search, const std::vector<float>& scores) {
    const uint64_t used_before_us = clock_.thread_us();
    index::SearchScratch scratch;
    QueryCost cost;
    const model::SearchReply exact =
        run_query(search.snapshot, search.request, search.settings, scratch, cost);
    const uint64_t used_us = clock_.thread_us() - used_before_us;  // waiting for the processor is not paid
    const uint64_t now_us = clock_.monotonic_us();
    not_before_us_.store(now_us + used_us * kProcessorTimePerProbeTime / processors_,
                         std::memory_order_relaxed);
    if (!exact.matches.empty()) {
        const Generation& generation = *search.snapshot.generation;
        const uint32_t found = count_found(scores, exact.matches,
                                           generation.indexes[search.settings.vector]->column.spec.metric);
        generation.probed.add(search.filter, found, static_cast<uint32_t>(exact.matches.size()), now_us);
    }
    done_.add();
}

}  // namespace akidb::engine
