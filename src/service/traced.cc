#include "service/traced.h"

#include <utility>

#include "service/filter_shape.h"

namespace akidb::service {

void describe_search(tracing::Step& step, const std::string& collection, const model::SearchRequest& request,
                     const Result<model::SearchReply>& reply) {
    step.set("akidb.collection", collection);
    step.set("akidb.top_k", request.top_k);
    step.set("akidb.filter", shape_of(request.filter.get()));
    if (!reply) {
        step.fail(row_of(reply.error().code()).name);
        return;
    }
    step.set("akidb.results", reply->is_grouped ? reply->groups.size() : reply->matches.size());
    step.set("akidb.partial", reply->partial);
    if (reply->explanation) {  // of one look; fused ones have none
        const model::SearchExplanation& plan = *reply->explanation;
        step.set("akidb.plan", plan.plan);
        step.set("akidb.ef", plan.ef);
        step.set("akidb.distances", plan.distances);
        step.set("akidb.candidates", plan.candidates);
        step.set("akidb.abandoned", plan.abandoned);
        if (plan.round_trips > 0) {
            step.set("akidb.round_trips", plan.round_trips);
            step.set("akidb.fetched_bytes", plan.fetched_bytes);
        }
    }
}

void trace_write(tracing::Trace* trace, uint64_t began_us, const Result<engine::WriteReply>& reply) {
    if (trace == nullptr) {
        return;
    }
    tracing::Span write{.id = trace->make_span_id(),
                        .name = "write",
                        .begin_us = began_us,
                        .end_us = trace->now_us(),
                        .is_failed = !reply};
    if (!reply) {
        write.attributes.push_back({"error.type", row_of(reply.error().code()).name});
        trace->add(std::move(write));
        return;
    }
    write.attributes = {{"akidb.documents", reply->count}, {"akidb.replay", reply->is_replay}};
    const tracing::SpanId parent = write.id;
    trace->add(std::move(write));
    if (reply->log.ended_us > 0) {
        trace->add({.parent = parent,
                    .name = "log",
                    .begin_us = reply->log.began_us,
                    .end_us = reply->log.ended_us,
                    .attributes = {{"akidb.group_writes", reply->log.writes}}});
    }
}

engine::WriteDone traced(const RequestContext& context, engine::WriteDone done) {
    if (context.trace() == nullptr) {
        return done;
    }
    return [trace = context.traced.trace, began_us = context.trace()->now_us(),
            done = std::move(done)](Result<engine::WriteReply> reply) {
        trace_write(trace.get(), began_us, reply);
        done(std::move(reply));
    };
}

}  // namespace akidb::service
