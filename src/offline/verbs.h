// The verbs that read a data directory or backups themselves, without a server: inspect, repair, audit
// verify, backup list, verify and prune, restore. Answers go to `print`, as text for people or as one JSON
// document. Exit codes: kClean when all is whole (or was made so), kIo when something is damaged or cannot be
// read, kUsage for a kind, a collection or a directory that is not there, kLockHeld when another process has
// the data directory. inspect changes nothing, ever; repair only with `accept_loss`. Not thread-safe: one
// verb is a process.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "backup/practice.h"
#include "backup/target.h"
#include "backup/upkeep.h"
#include "base/exit_code.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "io/clock.h"
#include "io/file_system.h"
#include "model/collection_spec.h"

namespace akidb::offline {

using Print = FunctionRef<void(std::string_view)>;

struct InspectRequest {
    std::string kind;  // log, wal, manifest, segment; empty: `path` is the directory of a collection
    std::string path;
    bool json = false;
};
ExitCode inspect(io::FileSystem& files, const InspectRequest& request, Print print);

struct RepairRequest {
    std::string data;        // the data directory
    std::string catalog;     // the catalog's file
    std::string collection;  // name or id
    bool accept_loss = false;
    bool json = false;
};
ExitCode repair(io::FileSystem& files, const io::Clock& clock, const RepairRequest& request, Print print);

struct AuditVerifyRequest {
    std::string directory;        // of the audit log
    std::string public_key_file;  // hex
    std::string checkpoint_file;  // lines kept elsewhere, other lines among them; may be empty
    bool json = false;
};
/// kIo also when the log was tampered with. Changes nothing.
ExitCode verify_audit(io::FileSystem& files, const AuditVerifyRequest& request, Print print);

struct BackupsRequest {
    std::string act;    // list, verify, prune, restore
    std::string place;  // a directory, or s3://BUCKET/PREFIX
    std::string id;     // empty: the newest
    uint32_t level = 1;
    backup::Retention retention;
    std::string data;  // of restore, as are the next two
    std::string collection;
    std::string as;
    std::string owner{};  // of restore, as io::parse_owner says; empty: that of the directory above
    std::optional<uint64_t> to_sequence{};  // of restore, of one collection
    std::string to_time{};                  // of restore: RFC 3339, or "latest"; empty: the backup itself
    std::string timeline{};                 // with one of these; empty: that of the backup
    std::string scratch;                    // for what a verify of level 3 restores
    std::string key_file{};                 // empty: not encrypted
    std::string tenant_keys{};              // the place of the tenants' keys; empty: none is given
    bool json = false;
};
/// kIo when a backup is not whole. `open` is asked by a verify of level 3.
ExitCode run_backups(const backup::TargetDoors& doors, const backup::S3Access& s3,
                     const BackupsRequest& request, backup::OpenCollection open, Print print);

}  // namespace akidb::offline
