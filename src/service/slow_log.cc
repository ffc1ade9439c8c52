#include "service/slow_log.h"

#include <algorithm>
#include <string>
#include <utility>

#include "service/filter_shape.h"
#include "service/request_log.h"

namespace akidb::service {
namespace {

constexpr uint64_t kLineEveryUs = 1'000'000;

std::string looks_of(const model::SearchRequest& request) {
    if (request.fusion) {
        return std::to_string(request.fusion->queries.size()) + " fused";
    }
    if (request.group_by) {
        return "groups";
    }
    if (request.diversity) {
        return "diverse";
    }
    return request.examples.is_empty() ? "one" : "examples";
}

std::string outcome_of(const Result<model::SearchReply>& reply) {
    if (!reply) {
        return std::string(row_of(reply.error().code()).name);
    }
    return reply->partial ? "partial" : "ok";
}

}  // namespace

void SlowLog::note(const EndedSearch& search) {
    const uint64_t limit_us = limit_us_.load(std::memory_order_relaxed);
    if (limit_us == 0 || search.took_us <= limit_us) {
        return;
    }
    slow_.add();
    uint64_t omitted = 0;
    if (!takes_line(omitted)) {
        return;
    }
    // Of a search that failed, and of fused ones, no plan is known.
    const bool is_explained = search.reply && search.reply->explanation;
    const model::SearchExplanation plan =
        is_explained ? *search.reply->explanation : model::SearchExplanation{.plan = "unknown"};
    const engine::CollectionStats stats = search.collection.stats();
    const model::SearchRequest& request = search.request;
    logger_.log(LogLevel::kWarning, "slow search",
                {{"request_id", search.context.request_id},
                 {"trace_id", trace_text(search.context)},
                 {"tenant", tenant_text(search.context)},
                 {"collection", search.collection.spec().name},
                 {"ms", milliseconds(static_cast<double>(search.took_us) / 1000)},
                 {"status", outcome_of(search.reply)},
                 {"plan", plan.plan},
                 {"looks", looks_of(request)},
                 {"top_k", std::to_string(request.top_k)},
                 {"offset", std::to_string(request.offset)},
                 {"ef", std::to_string(plan.ef)},
                 {"filter", shape_of(request.filter.get())},
                 {"row_rule", search.context.principal->row_rule == nullptr ? "no" : "yes"},
                 {"estimated_matches", std::to_string(plan.estimated_matches)},
                 {"estimated_us", std::to_string(static_cast<uint64_t>(plan.estimated_cost_us))},
                 {"distances", std::to_string(plan.distances)},
                 {"candidates", std::to_string(plan.candidates)},
                 {"abandoned", plan.abandoned ? "yes" : "no"},
                 {"rows", std::to_string(stats.rows)},
                 {"head_rows", std::to_string(stats.head_rows)},
                 {"dead_rows", std::to_string(stats.rows - std::min(stats.rows, stats.documents))},
                 {"segment_files", std::to_string(stats.segment_files)},
                 {"omitted", std::to_string(omitted)}});
}

bool SlowLog::takes_line(uint64_t& omitted) {
    const uint64_t now_us = clock_.monotonic_us();
    MutexLock lock(mutex_);
    if (const uint64_t more = (now_us - counted_us_) / kLineEveryUs; more > 0) {
        lines_left_ = std::min(kLinesAtOnce, lines_left_ + more);
        counted_us_ = lines_left_ == kLinesAtOnce ? now_us : counted_us_ + more * kLineEveryUs;
    }
    if (lines_left_ == 0) {
        ++omitted_;
        return false;
    }
    --lines_left_;
    omitted = std::exchange(omitted_, 0);
    return true;
}

}  // namespace akidb::service
