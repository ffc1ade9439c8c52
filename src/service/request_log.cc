#include "service/request_log.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "model/limits.h"

namespace akidb::service {

void log_request(Logger& logger, const RequestContext& context, EndedRequest ended) {
    // What a client calls a collection may be as long as a message.
    ended.collection.resize(std::min<size_t>(ended.collection.size(), model::kCollectionNameBytesMax));
    logger.log(kRequestLogLevel, "request",
               {{"request_id", context.request_id},
                {"trace_id", trace_text(context)},
                {"tenant", tenant_text(context)},
                {"collection", ended.collection.empty() ? "none" : std::move(ended.collection)},
                {"ms", milliseconds(ended.ms)},
                {"status", std::move(ended.status)},
                {"protocol", std::move(ended.protocol)},
                {"what", std::move(ended.what)}});
}

std::string tenant_text(const RequestContext& context) {
    if (context.principal == nullptr) {
        return "none";
    }
    return context.principal->is_of_default_tenant() ? "default" : context.principal->tenant.to_string();
}

std::string trace_text(const RequestContext& context) {
    return context.traced.id ? context.traced.id->to_string() : "none";
}

std::string milliseconds(double ms) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f", ms);
    return text.data();
}

}  // namespace akidb::service
