#include "rest/search_routes.h"

#include <utility>
#include <vector>

#include "rest/request_codec.h"
#include "rest/search_answers.h"
#include "rest/search_codec.h"

namespace akidb::rest {

Result<void> search(Call& call, service::Service& service, const model::SearchRequest& request) {
    AKIDB_TRY(model::SearchReply reply, service.search(call.context(), call.collection(), request));
    call.answer(HttpResponse{.body = call.timed("encode", [&] {
        return write_search_reply(reply, request.include, call.elapsed_ms());
    })});
    return {};
}

Result<void> search_batch(Call& call, service::Service& service) {
    AKIDB_TRY(std::vector<model::SearchRequest> requests,
              read_search_batch_body(call.body(), call.began_us()));
    AKIDB_TRY(std::vector<model::SearchReply> replies,
              service.search_batch(call.context(), call.collection(), requests));
    JsonWriter writer;
    writer.begin_object().key("results").begin_array();
    for (size_t i = 0; i < replies.size(); ++i) {
        write_search_result(writer.begin_object(), replies[i], requests[i].include);
        writer.end_object();
    }
    writer.end_array().member("took_ms", call.elapsed_ms()).end_object();
    call.answer(std::move(writer));
    return {};
}

Result<void> count_documents(Call& call, service::Service& service) {
    AKIDB_TRY(const CountBody body, read_count_body(call.body(), call.began_us()));
    AKIDB_TRY(const uint64_t count,
              service.count_documents(call.context(), call.collection(), body.filter.get(), body.is_exact,
                                      body.deadline_us));
    JsonWriter writer;
    writer.begin_object().member("count", count).end_object();
    call.answer(std::move(writer));
    return {};
}

Result<void> scroll(Call& call, service::Service& service) {
    AKIDB_TRY(const model::ScrollRequest request, read_scroll_body(call.body(), call.began_us()));
    AKIDB_TRY(const model::ScrollReply reply, service.scroll(call.context(), call.collection(), request));
    call.answer(HttpResponse{.body = write_scroll_reply(reply, request.include)});
    return {};
}

Result<void> facet(Call& call, service::Service& service) {
    AKIDB_TRY(const model::FacetRequest request, read_facet_body(call.body(), call.began_us()));
    AKIDB_TRY(const model::FacetReply reply, service.facet(call.context(), call.collection(), request));
    call.answer(HttpResponse{.body = write_facet_reply(reply)});
    return {};
}

}  // namespace akidb::rest
