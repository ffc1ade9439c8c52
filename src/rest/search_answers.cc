#include "rest/search_answers.h"

#include <utility>
#include <variant>

#include "rest/answer_codec.h"

namespace akidb::rest {
namespace {

void write_value(JsonWriter& writer, const model::MatchValue& value) {
    std::visit([&](const auto& found) { writer.value(found); }, value);
}

void write_match(JsonWriter& writer, const model::SearchMatch& match, const model::Include& include) {
    writer.begin_object().key("id");
    write_id(writer, match.document.id);
    writer.member("score", match.score);
    write_parts(writer, match.document, include);
    writer.end_object();
}

void write_matches(JsonWriter& writer, const std::vector<model::SearchMatch>& matches,
                   const model::Include& include) {
    writer.key("matches").begin_array();
    for (const model::SearchMatch& match : matches) {
        write_match(writer, match, include);
    }
    writer.end_array();
}

void write_explanation(JsonWriter& writer, const model::SearchExplanation& explanation) {
    writer.key("explain")
        .begin_object()
        .member("plan", explanation.plan)
        .member("estimated_matches", explanation.estimated_matches)
        .member("estimated_cost_us", explanation.estimated_cost_us)
        .member("actual_cost_us", explanation.actual_cost_us)
        .member("distances", explanation.distances)
        .member("candidates", explanation.candidates)
        .member("abandoned", explanation.abandoned)
        .member("ef", uint64_t{explanation.ef});
    if (explanation.estimated_recall) {
        writer.member("estimated_recall", *explanation.estimated_recall);
    }
    if (explanation.round_trips > 0) {
        writer.member("round_trips", explanation.round_trips)
            .member("fetched_bytes", explanation.fetched_bytes);
    }
    writer.end_object();
}

// Of an answer, to begin with: without vectors and metadata a match takes about so much.
constexpr size_t kMatchBytes = 48;
constexpr size_t kAnswerBytes = 64;

}  // namespace

void write_search_result(JsonWriter& writer, const model::SearchReply& reply, const model::Include& include) {
    if (!reply.is_grouped) {
        write_matches(writer, reply.matches, include);
    } else {
        writer.key("groups").begin_array();
        for (const model::SearchGroup& group : reply.groups) {
            writer.begin_object().key("value");
            write_value(writer, group.value);
            write_matches(writer, group.matches, include);
            writer.end_object();
        }
        writer.end_array();
    }
    if (reply.partial) {
        writer.member("partial", true);
    }
    if (reply.explanation) {
        write_explanation(writer, *reply.explanation);
    }
}

std::string write_search_reply(const model::SearchReply& reply, const model::Include& include,
                               double took_ms) {
    JsonWriter writer(reply.matches.size() * kMatchBytes + kAnswerBytes);
    write_search_result(writer.begin_object(), reply, include);
    writer.member("took_ms", took_ms).end_object();
    return std::move(writer).take();
}

std::string write_scroll_reply(const model::ScrollReply& reply, const model::Include& include) {
    JsonWriter writer;
    writer.begin_object().key("documents").begin_array();
    for (size_t i = 0; i < reply.documents.size(); ++i) {
        open_document(writer, reply.documents[i], include);
        writer.member("version", reply.documents[i].version);
        if (i < reply.order_values.size()) {
            writer.key("order_value");
            write_value(writer, reply.order_values[i]);
        }
        writer.end_object();
    }
    writer.end_array().key("next_cursor");
    if (reply.next) {
        writer.value(model::encode_cursor(*reply.next));
    } else {
        writer.null();
    }
    return std::move(writer.end_object()).take();
}

std::string write_facet_reply(const model::FacetReply& reply) {
    JsonWriter writer;
    writer.begin_object().key("facets").begin_array();
    for (const model::FacetCount& found : reply.counts) {
        writer.begin_object().key("value");
        write_value(writer, found.value);
        writer.member("count", found.count).end_object();
    }
    writer.end_array().member("distinct", reply.distinct).end_object();
    return std::move(writer).take();
}

}  // namespace akidb::rest
