#include "rest/audit_routes.h"

#include <array>
#include <charconv>

#include "model/moment.h"
#include "rest/answer_codec.h"
#include "service/accounts.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 8> kParameters{"tenant", "actor", "action", "outcome",
                                                      "from",   "to",    "before", "limit"};

Result<uint64_t> read_number(const std::string& name, const std::string& text, uint64_t max) {
    uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, number);
    if (fault != std::errc() || stop != end || number < 1 || number > max) {
        return invalid_argument(name, "not a whole number in range", "1.." + std::to_string(max));
    }
    return number;
}

Result<uint64_t> read_moment(const std::string& name, const std::string& text) {
    const std::optional<int64_t> moment = model::parse_moment(text);
    if (!moment || *moment < 0) {
        return invalid_argument(name, "not a moment after 1970", "an RFC 3339 time, as 2026-01-31T12:00:00Z");
    }
    return static_cast<uint64_t>(*moment) / 1000;
}

Result<void> read_parameter(const std::string& name, const std::string& value, access::AuditQuery& query) {
    if (name == "tenant") {
        query.tenant = value;
    } else if (name == "actor") {
        query.actor = value;
    } else if (name == "action") {
        query.action = value;
    } else if (name == "outcome") {
        query.outcome = access::parse_audit_outcome(value);
        if (!query.outcome) {
            return invalid_argument(name, "unknown outcome", "allowed, denied, failed");
        }
    } else if (name == "from") {
        AKIDB_TRY(query.from_ms, read_moment(name, value));
    } else if (name == "to") {
        AKIDB_TRY(query.to_ms, read_moment(name, value));
    } else if (name == "before") {
        AKIDB_TRY(query.before, read_number(name, value, UINT64_MAX - 1));
    } else {
        AKIDB_TRY(const uint64_t limit, read_number(name, value, access::kAuditQueryLimitMax));
        query.limit = static_cast<uint32_t>(limit);
    }
    return {};
}

void write_entry(JsonWriter& writer, const access::AuditEntry& entry) {
    writer.begin_object().member("sequence", entry.sequence).member("time", model::rfc3339(entry.unix_ms));
    for (const auto& [name, text] : {std::pair{"actor", &entry.actor},
                                     {"tenant", &entry.tenant},
                                     {"action", &entry.action},
                                     {"resource", &entry.resource},
                                     {"reason", &entry.reason},
                                     {"source", &entry.source},
                                     {"user_agent", &entry.user_agent},
                                     {"request_id", &entry.request_id}}) {
        if (!text->empty()) {
            writer.member(name, *text);
        }
    }
    writer.member("outcome", access::name_of(entry.outcome)).end_object();
}

}  // namespace

Result<void> read_audit(Call& call, service::Service& service) {
    AKIDB_TRY(const auto parameters, parse_query(call.request().query, kParameters));
    access::AuditQuery query;
    for (const auto& [name, value] : parameters) {
        AKIDB_TRY(read_parameter(name, value, query));
    }
    AKIDB_TRY(service::Accounts* const accounts, service.accounts());
    AKIDB_TRY(const access::AuditPage page, accounts->query_audit(call.context(), std::move(query)));
    JsonWriter writer;
    writer.begin_object().key("entries").begin_array();
    for (const access::AuditEntry& entry : page.entries) {
        write_entry(writer, entry);
    }
    writer.end_array();
    if (page.next_before != 0) {
        writer.member("next_before", page.next_before);
    }
    call.answer(std::move(writer.end_object()));
    return {};
}

}  // namespace akidb::rest
