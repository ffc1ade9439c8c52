#include "rest/backup_routes.h"

#include <array>

#include "model/moment.h"
#include "rest/field_readers.h"
#include "rest/json_reader.h"
#include "service/scheduled_backups.h"

namespace akidb::rest {
namespace {

constexpr std::array<std::string_view, 1> kFields{"to"};

Result<std::string> read_backup_body(std::string& body) {
    JsonReader reader(body);
    std::string to;
    AKIDB_TRY(reader.read_body(kFields, [&](size_t) -> Result<void> {
        AKIDB_TRY(const std::string_view text, reader.read_string());
        to = text;
        return {};
    }));
    if (to.empty()) {
        return missing("to", "an absolute path, or s3://BUCKET/PREFIX");
    }
    return to;
}

void write_state(JsonWriter& writer, const service::BackupState& state) {
    writer.begin_object()
        .member("id", state.id.to_string())
        .member("to", state.to)
        .member("stage", service::name_of(state.stage))
        .member("started_at", model::rfc3339(state.started_ms));
    if (state.ended_ms > 0) {
        writer.member("ended_at", model::rfc3339(state.ended_ms));
    }
    writer.member("collections", state.collections)
        .member("collections_done", state.collections_done)
        .member("documents", state.documents)
        .member("bytes", state.bytes)
        .member("sent_bytes", state.sent_bytes);
    if (!state.error.empty()) {
        writer.member("error", state.error);
    }
    if (!state.left_out.empty()) {
        writer.key("left_out").begin_array();
        for (const auto& left : state.left_out) {
            writer.begin_object().member("collection", left.name).member("reason", left.reason).end_object();
        }
        writer.end_array();
    }
    writer.end_object();
}

void write_moment(JsonWriter& writer, std::string_view name, uint64_t unix_ms) {
    if (unix_ms > 0) {
        writer.member(name, model::rfc3339(unix_ms));
    }
}

void write_plan(JsonWriter& writer, const service::PlanState& plan) {
    writer.key("schedule").begin_object().member("to", plan.to).member("times", plan.schedule);
    write_moment(writer, "last_at", plan.last_ms);
    write_moment(writer, "next_at", plan.next_ms);
    write_moment(writer, "verified_at", plan.verified_ms);
    write_moment(writer, "next_drill_at", plan.next_drill_ms);
    if (!plan.error.empty()) {
        writer.member("error", plan.error);
    }
    if (plan.last_drill) {
        writer.key("last_drill")
            .begin_object()
            .member("backup", plan.last_drill->backup.to_string())
            .member("ended_at", model::rfc3339(plan.last_drill->ended_ms))
            .member("milliseconds", plan.last_drill->duration_ms)
            .member("whole", plan.last_drill->faults.empty());
        writer.key("faults").begin_array();
        for (const std::string& fault : plan.last_drill->faults) {
            writer.value(std::string_view(fault));
        }
        writer.end_array().end_object();
    }
    writer.end_object();
}

}  // namespace

bool is_backup_route(RouteId id) {
    return id == RouteId::kCreateBackup || id == RouteId::kListBackups || id == RouteId::kGetBackup;
}

Result<void> perform_on_backups(Call& call, service::Service& service) {
    JsonWriter writer;
    if (call.match().route->id == RouteId::kCreateBackup) {
        AKIDB_TRY(const std::string to, read_backup_body(call.body()));
        AKIDB_TRY(const service::BackupState state, service.start_backup(call.context(), to));
        write_state(writer, state);
        call.answer(std::move(writer), 202);
        return {};
    }
    if (call.match().route->id == RouteId::kGetBackup) {
        AKIDB_TRY(const service::BackupState state, service.get_backup(call.match().captured[0]));
        write_state(writer, state);
        call.answer(std::move(writer));
        return {};
    }
    AKIDB_TRY(const std::vector<service::BackupState> states, service.list_backups());
    writer.begin_object().key("backups").begin_array();
    for (const service::BackupState& state : states) {
        write_state(writer, state);
    }
    writer.end_array();
    if (const std::optional<service::PlanState> plan = service.backup_plan()) {
        write_plan(writer, *plan);
    }
    call.answer(std::move(writer.end_object()));
    return {};
}

}  // namespace akidb::rest
