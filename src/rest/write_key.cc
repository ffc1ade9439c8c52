#include "rest/write_key.h"

#include "service/write_key.h"

namespace akidb::rest {
Result<std::optional<model::WriteKey>> read_write_key(const HttpRequest& request, const RouteMatch& match,
                                                      const model::DocumentId& first_made_id) {
    AKIDB_TRY(const std::string* text, service::find_write_key(request.idempotency_keys));
    if (text == nullptr) {
        return std::optional<model::WriteKey>();
    }
    Digester fingerprint;
    fingerprint.add(match.route->method).add(" ").add(match.route->path);
    for (size_t i = 1; i < match.captured.size();
         ++i) {  // not the collection: it may go by its name or its id
        fingerprint.add("\n").add(match.captured[i]);
    }
    fingerprint.add("\n\n").add(request.body);
    return std::optional(model::WriteKey{.key = Digester().add(*text).finish(),
                                         .fingerprint = fingerprint.finish(),
                                         .first_made_id = std::get<Uuid>(first_made_id.value())});
}

}  // namespace akidb::rest
