#include "rest/write_key.h"

#include <algorithm>

#include "model/limits.h"

namespace akidb::rest {
namespace {

constexpr std::string_view kHeader = "Idempotency-Key";

Error wrong_key(std::string message) {
    return invalid_argument(
        std::string(kHeader), std::move(message),
        "once, with 1.." + std::to_string(model::kIdempotencyKeyBytesMax) + " visible ASCII characters");
}

bool is_visible(char letter) {
    return letter > ' ' && letter <= '~';
}

}  // namespace

Result<std::optional<model::WriteKey>> read_write_key(const HttpRequest& request, const RouteMatch& match,
                                                      const model::DocumentId& first_made_id) {
    if (request.idempotency_keys.empty()) {
        return std::optional<model::WriteKey>();
    }
    if (request.idempotency_keys.size() > 1) {
        return wrong_key("the header is there " + std::to_string(request.idempotency_keys.size()) + " times");
    }
    const std::string& text = request.idempotency_keys.front();
    if (text.empty() || text.size() > model::kIdempotencyKeyBytesMax) {
        return wrong_key("the key has " + std::to_string(text.size()) + " characters");
    }
    if (!std::all_of(text.begin(), text.end(), is_visible)) {
        return wrong_key("the key has a space, or a character outside of ASCII");
    }
    Digester fingerprint;
    fingerprint.add(match.route->method).add(" ").add(match.route->path);
    for (size_t i = 1; i < match.captured.size();
         ++i) {  // not the collection: it may go by its name or its id
        fingerprint.add("\n").add(match.captured[i]);
    }
    fingerprint.add("\n\n").add(request.body);
    return std::optional(model::WriteKey{.key = Digester().add(text).finish(),
                                         .fingerprint = fingerprint.finish(),
                                         .first_made_id = std::get<Uuid>(first_made_id.value())});
}

Result<void> refuse_write_key(const HttpRequest& request, std::string_view why) {
    if (request.idempotency_keys.empty()) {
        return {};
    }
    return invalid_argument(std::string(kHeader), std::string(why), "no Idempotency-Key here");
}

void restore_made_ids(std::vector<model::DocumentId>& ids, const Uuid& made_now, const Uuid& made_first) {
    uint64_t index = 0;
    for (model::DocumentId& id : ids) {
        if (id == model::DocumentId(model::next_id(made_now, index))) {
            id = model::DocumentId(model::next_id(made_first, index));
            ++index;
        }
    }
}

}  // namespace akidb::rest
