// backup list, verify and prune, and restore: what is done with backups where no server is.
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "backup/restore.h"
#include "backup/tenant_keys.h"
#include "base/printable.h"
#include "io/ownership.h"
#include "model/moment.h"
#include "offline/report.h"
#include "offline/verbs.h"

namespace akidb::offline {
namespace {

/// RFC 3339, to the second.
std::string moment(uint64_t unix_ms) {
    const std::chrono::sys_seconds at{std::chrono::seconds(unix_ms / 1000)};
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(at));
    const std::chrono::hh_mm_ss time(at - std::chrono::floor<std::chrono::days>(at));
    char text[40];
    std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    return text;
}

class BackupsVerb {
  public:
    BackupsVerb(const backup::TargetDoors& doors, const backup::S3Access& s3, const BackupsRequest& request,
                backup::OpenCollection open, Print print)
        : doors_(doors), s3_(s3), request_(request), open_(open), print_(print) {}

    /// False: something is damaged, which was said.
    Result<bool> run() {
        AKIDB_TRY(load_tenant_keys());
        const objects::Keyring* const tenant_keys = request_.tenant_keys.empty() ? nullptr : &keys_.keyring();
        Result<std::unique_ptr<backup::Target>> opened = backup::Target::open(
            doors_, request_.place, s3_, backup::TargetUse::kRead, request_.key_file, tenant_keys);
        if (!opened && opened.error().code() == Code::kNotFound && !backup::is_s3_place(request_.place)) {
            return invalid_argument("place", "there is no directory " + request_.place);
        }
        AKIDB_TRY(const auto target, std::move(opened));
        backup::Repository repository(target->store(), doors_.clock, tenant_keys);
        if (request_.act == "list") {
            return list(repository);
        }
        if (request_.act == "prune") {
            return prune(repository);
        }
        AKIDB_TRY(const std::optional<backup::RestorePoint> point, parse_point());
        if (point) {
            return restore_to(repository, *point);
        }
        AKIDB_TRY(const Uuid id, choose(repository));
        return request_.act == "verify" ? verify(repository, id) : restore(repository, id);
    }

  private:
    Result<void> load_tenant_keys() {
        if (request_.tenant_keys.empty()) {
            return {};
        }
        Result<void> loaded = keys_.load(backup::TargetUse::kRead);
        if (!loaded && loaded.error().code() == Code::kNotFound) {
            return invalid_argument("--tenant-keys",
                                    "there are no tenants' keys, and never were, in " + request_.tenant_keys);
        }
        return loaded;
    }

    Result<Uuid> choose(backup::Repository& repository) const {
        if (!request_.id.empty()) {
            const std::optional<Uuid> id = Uuid::parse(request_.id);
            return id ? Result<Uuid>(*id)
                      : invalid_argument("--backup", request_.id + " is no id of a backup");
        }
        AKIDB_TRY(const std::vector<Uuid> ids, repository.list_backups());
        if (ids.empty()) {
            return Error(Code::kNotFound, "there is no complete backup in " + request_.place);
        }
        return ids.back();
    }

    Result<std::optional<backup::RestorePoint>> parse_point() const {
        using Kind = backup::RestorePoint::Kind;
        if (request_.to_sequence) {
            return std::optional(backup::RestorePoint{Kind::kSequence, *request_.to_sequence});
        }
        if (request_.to_time == "latest") {
            return std::optional(backup::RestorePoint{Kind::kLatest, 0});
        }
        if (request_.to_time.empty()) {
            return request_.timeline.empty()
                       ? Result<std::optional<backup::RestorePoint>>(std::optional<backup::RestorePoint>())
                       : invalid_argument("--timeline", "is for a restore to a point in time",
                                          "--to-time or --to-seq beside it");
        }
        const std::optional<int64_t> moment = model::parse_moment(request_.to_time);
        if (!moment || *moment < 0) {
            return invalid_argument("--to-time", printable(request_.to_time) + " is no time for --to-time",
                                    "RFC 3339 (2026-01-31T12:00:00Z), or latest");
        }
        return std::optional(backup::RestorePoint{Kind::kTime, static_cast<uint64_t>(*moment) / 1000});
    }

    Result<std::optional<Uuid>> parse_id(const char* option, const std::string& text) const {
        const std::optional<Uuid> id = Uuid::parse(text);
        return text.empty() || id ? Result<std::optional<Uuid>>(id)
                                  : invalid_argument(option, printable(text) + " is no id");
    }

    Result<bool> restore_to(backup::Repository& repository, const backup::RestorePoint& point) {
        backup::PointRequest wanted{.point = point, .collection = request_.collection};
        AKIDB_TRY(wanted.backup, parse_id("--backup", request_.id));
        AKIDB_TRY(wanted.timeline, parse_id("--timeline", request_.timeline));
        AKIDB_TRY(const backup::BackupManifest base, backup::choose_base(repository, wanted));
        const std::string data = data_without_slash();
        AKIDB_TRY(const io::Owner owner, owner_for(data));
        AKIDB_TRY(const backup::RestoreReport report, backup::restore(doors_.files, repository,
                                                                      {.backup = base.id,
                                                                       .data = data,
                                                                       .collection = request_.collection,
                                                                       .as = request_.as,
                                                                       .point = point,
                                                                       .hand_over = give_to(owner)}));
        if (request_.json) {
            Json collections = Json::array();
            for (const backup::RestoredCollection& reached : report.reached) {
                collections.push_back({{"name", reached.name}, {"sequence", reached.sequence}});
            }
            print_(dump({{"backup", base.id.to_string()},
                         {"timeline", report.timeline.to_string()},
                         {"data", data},
                         {"collections", collections},
                         {"left_out", as_json(report.left_out)},
                         {"replayed_writes", report.replayed_writes},
                         {"bytes", report.bytes}}));
            return true;
        }
        print_("restored " + counted(report.reached.size(), "collection") + " to " + data + ": backup " +
               base.id.to_string() + " of " + moment(base.created_ms) + " and " +
               counted(report.replayed_writes, "write") + " after it, of timeline " +
               report.timeline.to_string() + "\n");
        for (const backup::RestoredCollection& reached : report.reached) {
            print_("  " + reached.name + " up to sequence number " + std::to_string(reached.sequence) + "\n");
        }
        print_left_out(report.left_out);
        return true;
    }

    static Json as_json(const std::vector<backup::LeftOut>& left_out) {
        Json rows = Json::array();
        for (const backup::LeftOut& left : left_out) {
            rows.push_back({{"collection", left.name}, {"reason", left.reason}});
        }
        return rows;
    }

    void print_left_out(const std::vector<backup::LeftOut>& left_out) {
        for (const backup::LeftOut& left : left_out) {
            print_("  " + left.name + " is not there: " + left.reason + "\n");
        }
    }

    std::string data_without_slash() const {
        std::string data = request_.data;
        while (data.size() > 1 && data.ends_with('/')) {
            data.pop_back();
        }
        return data;
    }

    Result<bool> list(backup::Repository& repository) {
        AKIDB_TRY(const std::vector<Uuid> ids, repository.list_backups());
        Json rows = Json::array();
        std::vector<std::vector<std::string>> table{
            {"BACKUP", "MADE", "COLLECTIONS", "DOCUMENTS", "BYTES", "SENT", "VERIFIED"}};
        bool is_whole = true;
        std::vector<backup::BackupManifest> manifests;
        for (const Uuid& id : ids) {
            const Result<backup::BackupManifest> manifest = repository.read_manifest(id);
            if (!manifest) {
                is_whole = false;
                rows.push_back({{"id", id.to_string()}, {"error", manifest.error().message()}});
                table.push_back({id.to_string(), manifest.error().message()});
                continue;
            }
            manifests.push_back(*manifest);
            AKIDB_TRY(const std::optional<uint64_t> verified, repository.verified_at_ms(id));
            const std::string made = moment(manifest->created_ms);
            Json collections = Json::array();
            for (const backup::BackedUpCollection& collection : manifest->collections) {
                collections.push_back({{"name", collection.name},
                                       {"id", collection.id.to_string()},
                                       {"sequence", collection.sequence},
                                       {"documents", collection.documents}});
            }
            const Json left_out = as_json(manifest->left_out);
            rows.push_back({{"id", id.to_string()},
                            {"created_at", made},
                            {"version", manifest->version},
                            {"documents", manifest->documents()},
                            {"bytes", manifest->stored_bytes()},
                            {"sent_bytes", manifest->sent_bytes},
                            {"verified_at", verified ? Json(moment(*verified)) : Json(nullptr)},
                            {"collections", collections},
                            {"left_out", left_out}});
            table.push_back(
                {id.to_string(), made,
                 std::to_string(manifest->collections.size()) +
                     (left_out.empty() ? "" : " (" + std::to_string(left_out.size()) + " left out)"),
                 std::to_string(manifest->documents()), std::to_string(manifest->stored_bytes()),
                 std::to_string(manifest->sent_bytes), verified ? moment(*verified) : "unverified"});
        }
        AKIDB_TRY(const std::vector<backup::PointRange> ranges, backup::list_points(repository, manifests));
        Json points = Json::array();
        std::string lines;
        for (const backup::PointRange& range : ranges) {
            const std::string from = model::rfc3339(range.from_ms);
            const std::string through = model::rfc3339(range.through_ms);
            points.push_back(
                {{"timeline", range.timeline.to_string()}, {"from", from}, {"through", through}});
            lines += "points in time: " + from + " to " + through + ", timeline " +
                     range.timeline.to_string() + "\n";
        }
        print_(request_.json ? dump({{"backups", rows}, {"points_in_time", points}})
                             : table_of(table) + lines);
        return is_whole;
    }

    Result<bool> prune(backup::Repository& repository) {
        const Uuid owner = io::make_uuid(doors_.random, doors_.clock);
        AKIDB_TRY(const backup::PruneReport report,
                  backup::prune(repository, doors_.clock, owner, request_.retention));
        if (request_.json) {
            Json removed = Json::array();
            for (const Uuid& id : report.removed) {
                removed.push_back(id.to_string());
            }
            print_(dump({{"removed", removed},
                         {"kept", report.kept},
                         {"removed_blobs", report.removed_blobs},
                         {"waiting_blobs", report.waiting_blobs},
                         {"removed_pieces", report.removed_pieces}}));
            return true;
        }
        print_("removed " + counted(report.removed.size(), "backup") + " and " +
               counted(report.removed_blobs, "blob") +
               (report.removed_pieces > 0
                    ? ", " + counted(report.removed_pieces, "piece") + " of archived logs"
                    : "") +
               ", kept " + counted(report.kept, "backup") +
               (report.waiting_blobs > 0 ? "; of no backup, and removed a day after that was first seen: " +
                                               counted(report.waiting_blobs, "blob")
                                         : "") +
               "\n");
        return true;
    }

    Result<bool> verify(backup::Repository& repository, const Uuid& id) {
        AKIDB_TRY(const backup::BackupManifest manifest, repository.read_manifest(id));
        AKIDB_TRY(
            backup::VerifyReport report,
            backup::verify(repository, manifest,
                           request_.level >= 2 ? backup::VerifyDepth::kBytes : backup::VerifyDepth::kSizes));
        if (request_.level == 3 && report.faults.empty()) {
            AKIDB_TRY(backup::PracticeReport practised,
                      backup::practise(doors_.files, repository, manifest, request_.scratch, open_));
            report.faults = std::move(practised.faults);
            if (report.faults.empty()) {
                AKIDB_TRY(repository.note_verified(id));
            }
        }
        const bool is_whole = report.faults.empty();
        if (request_.json) {
            print_(dump({{"id", id.to_string()},
                         {"level", request_.level},
                         {"whole", is_whole},
                         {"blobs", report.blobs},
                         {"pieces", report.pieces},
                         {"bytes", report.bytes},
                         {"unreadable", report.unreadable},
                         {"faults", report.faults}}));
            return is_whole;
        }
        for (const std::string& fault : report.faults) {
            print_("FAULT " + fault + "\n");
        }
        constexpr const char* kDone[] = {"", "sizes compared", "every byte hashed",
                                         "restored, opened and compared"};
        print_("backup " + id.to_string() + (is_whole ? " is whole" : " is NOT whole") + ": " +
               counted(report.blobs, "blob") + ", " + std::to_string(report.bytes) + " bytes, " +
               (report.pieces > 0 ? counted(report.pieces, "piece") + " of the archived log, " : "") +
               kDone[request_.level] + "\n");
        if (report.unreadable > 0) {
            print_("unreadable: " + counted(report.unreadable, "collection") +
                   ", their tenant's key is gone\n");
        }
        return is_whole;
    }

    /// Whose the data will be: looked up before anything is written.
    Result<io::Owner> owner_for(const std::string& data) const {
        if (request_.owner.empty()) {
            const size_t slash = data.find_last_of('/');
            return io::owner_of(slash == std::string::npos ? "." : slash == 0 ? "/" : data.substr(0, slash));
        }
        Result<io::Owner> owner = io::parse_owner(request_.owner);
        if (!owner) {
            return std::move(owner).error().with_context("--owner");
        }
        if (::geteuid() != 0 && owner->user != ::geteuid()) {
            return invalid_argument("--owner", "only root gives files to another user",
                                    "without it, or as root");
        }
        return owner;
    }

    /// Before the directory gets its name: from then on it is whole, and a crash leaves no start a directory
    /// of root's.
    static std::function<Result<void>(const std::string&)> give_to(const io::Owner& owner) {
        return [owner](const std::string& directory) { return io::give_tree(directory, owner); };
    }

    Result<bool> restore(backup::Repository& repository, const Uuid& id) {
        const std::string data = data_without_slash();
        AKIDB_TRY(const io::Owner owner, owner_for(data));
        AKIDB_TRY(const backup::RestoreReport report, backup::restore(doors_.files, repository,
                                                                      {.backup = id,
                                                                       .data = data,
                                                                       .collection = request_.collection,
                                                                       .as = request_.as,
                                                                       .hand_over = give_to(owner)}));
        if (request_.json) {
            print_(dump({{"backup", id.to_string()},
                         {"data", data},
                         {"collections", report.collections},
                         {"documents", report.documents},
                         {"left_out", as_json(report.left_out)},
                         {"bytes", report.bytes}}));
            return true;
        }
        print_("restored " + counted(report.collections, "collection") + " with " +
               counted(report.documents, "document") + ", " + std::to_string(report.bytes) + " bytes, to " +
               data + "\n");
        print_left_out(report.left_out);
        return true;
    }

    const backup::TargetDoors& doors_;
    const backup::S3Access& s3_;
    const BackupsRequest& request_;
    backup::OpenCollection open_;
    Print print_;
    backup::TenantKeys keys_{[this](backup::TargetUse use) {
                                 return backup::Target::open(doors_, request_.tenant_keys, s3_, use,
                                                             request_.key_file);
                             },
                             doors_.clock, doors_.random};
};

}  // namespace

ExitCode run_backups(const backup::TargetDoors& doors, const backup::S3Access& s3,
                     const BackupsRequest& request, backup::OpenCollection open, Print print) {
    const Result<bool> is_whole = BackupsVerb(doors, s3, request, open, print).run();
    if (!is_whole) {
        return end_with(is_whole.error(), request.json, print);
    }
    return *is_whole ? ExitCode::kClean : ExitCode::kIo;
}

}  // namespace akidb::offline
