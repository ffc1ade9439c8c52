#include "rest/tier_routes.h"

#include <array>
#include <charconv>

#include "base/printable.h"
#include "model/moment.h"
#include "rest/field_readers.h"
#include "rest/json_reader.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 1> kActionFields{"action"};
constexpr std::array<std::string_view, 3> kBreakerNames{"closed", "half_open", "open"};
constexpr std::array<std::string_view, 2> kKindNames{"upload", "remove"};

Result<model::TierAction> read_action(std::string& body) {
    std::optional<model::TierAction> action;
    JsonReader reader(body);
    AKIDB_TRY(reader.read_body(kActionFields, [&](size_t) -> Result<void> {
        AKIDB_TRY(const std::string_view name, reader.read_string());
        action = model::tier_action_from(name);
        return action ? Result<void>()
                      : reader.error("unknown action \"" + printable(name) + "\"",
                                     join_names(model::kTierActionNames));
    }));
    return action ? Result<model::TierAction>(*action)
                  : Error(missing("action", join_names(model::kTierActionNames)));
}

Result<int64_t> read_letter(const std::string& text) {
    int64_t id = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, id);
    if (fault != std::errc() || stop != end || id < 1) {
        return Error(Code::kNotFound, "there is no dead letter " + printable(text)).with_field("id");
    }
    return id;
}

JsonWriter tier_body(const service::CollectionTier& tier) {
    JsonWriter writer;
    write_tier(writer.begin_object(), tier);
    writer.member("moving", tier.is_moving)
        .member("bytes", tier.bytes)
        .member("has_copy", tier.has_copy)
        .member("copied", tier.is_copied);
    if (!tier.error.empty()) {
        writer.member("error", tier.error);
    }
    writer.end_object();
    return writer;
}

JsonWriter tiers_body(const service::TiersState& state) {
    JsonWriter writer;
    writer.begin_object().member("to", state.place);
    writer.key("collections")
        .begin_object()
        .member("hot", state.hot)
        .member("warm", state.warm)
        .member("cold", state.cold)
        .end_object();
    writer.key("cache")
        .begin_object()
        .member("bytes", state.cached_bytes)
        .member("limit_bytes", state.cache_bytes)
        .end_object();
    writer.key("uploads")
        .begin_object()
        .member("pending", state.pending)
        .member("pending_bytes", state.pending_bytes);
    if (state.oldest_pending_ms > 0) {
        writer.member("oldest_at", model::rfc3339(state.oldest_pending_ms));
    }
    writer.end_object().member("dead_letters", state.dead);
    writer.member("breaker", kBreakerNames.at(static_cast<size_t>(state.breaker))).end_object();
    return writer;
}

JsonWriter letters_body(const std::vector<service::DeadLetter>& letters) {
    JsonWriter writer;
    writer.begin_object().key("dead_letters").begin_array();
    for (const service::DeadLetter& letter : letters) {
        writer.begin_object()
            .member("id", static_cast<uint64_t>(letter.id))
            .member("kind", kKindNames.at(static_cast<size_t>(letter.kind)))
            .member("collection", letter.name.empty() ? letter.collection.to_string() : letter.name)
            .member("bytes", letter.bytes)
            .member("tries", letter.tries)
            .member("error", letter.error)
            .member("queued_at", model::rfc3339(letter.queued_at_ms))
            .end_object();
    }
    writer.end_array().end_object();
    return writer;
}

JsonWriter flag_body(std::string_view name) {
    JsonWriter writer;
    writer.begin_object().member(name, true).end_object();
    return writer;
}

Result<JsonWriter> body_of(Call& call, service::Service& service) {
    const std::vector<std::string>& captured = call.match().captured;
    switch (call.match().route->id) {
        case RouteId::kGetTier: {
            AKIDB_TRY(const auto tier, service.describe_tier(call.context(), captured[0]));
            return tier_body(tier);
        }
        case RouteId::kMoveTier: {
            AKIDB_TRY(const model::TierAction action, read_action(call.body()));
            AKIDB_TRY(const auto tier, service.move_collection(call.context(), captured[0], action));
            return tier_body(tier);
        }
        case RouteId::kListDeadLetters: {
            AKIDB_TRY(const auto letters, service.list_dead_letters());
            return letters_body(letters);
        }
        case RouteId::kRetryDeadLetters: {
            AKIDB_TRY(const uint64_t count, service.retry_dead_letters(call.context()));
            JsonWriter writer;
            writer.begin_object().member("retried", count).end_object();
            return writer;
        }
        case RouteId::kRetryDeadLetter: {
            AKIDB_TRY(const int64_t id, read_letter(captured[0]));
            AKIDB_TRY(service.retry_dead_letter(call.context(), id));
            JsonWriter writer;
            writer.begin_object().member("retried", uint64_t{1}).end_object();
            return writer;
        }
        case RouteId::kDropDeadLetter: {
            AKIDB_TRY(const int64_t id, read_letter(captured[0]));
            AKIDB_TRY(service.drop_dead_letter(call.context(), id));
            return flag_body("dropped");
        }
        case RouteId::kResetBreaker:
            AKIDB_TRY(service.reset_breaker(call.context()));
            return flag_body("reset");
        default: {
            AKIDB_TRY(const service::TiersState state, service.describe_tiers());
            return tiers_body(state);
        }
    }
}

}  // namespace

bool is_tier_route(RouteId id) {
    return id >= RouteId::kGetTier && id <= RouteId::kResetBreaker;
}

Result<void> perform_on_tiers(Call& call, service::Service& service) {
    AKIDB_TRY(JsonWriter writer, body_of(call, service));
    call.answer(std::move(writer));
    return {};
}

}  // namespace akidb::rest
