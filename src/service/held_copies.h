// Copies that an erase does not reach: which backups still hold what was in a collection until now, and until
// when retention keeps them; the same of the archived log. A moment is the latest by which they are gone if
// backups go on as scheduled, and an upper bound of it where the schedule leaves a choice. Free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"

namespace akidb::backup {
class Repository;
}  // namespace akidb::backup

namespace akidb::service {

struct BackupPlan;
struct BackupState;

struct HeldBackup {
    Uuid id;
    uint64_t created_ms = 0;
    uint64_t until_ms = 0;  // 0: until somebody prunes
};

struct HeldCopies {
    std::vector<HeldBackup> backups{};       // the oldest first
    std::optional<uint64_t> log_until_ms{};  // none: the archived log has nothing of it; 0 as above
    std::string error{};                     // of what could not be found out, for who may not know places
};

/// By when the backup that is the `position`-th newest (1: the newest) is pruned.
uint64_t gone_by_ms(const BackupPlan& plan, uint64_t now_ms, uint64_t newest_ms, size_t position,
                    uint64_t created_ms);

/// At the place of the plan.
Result<HeldCopies> find_held_copies(backup::Repository& repository, const BackupPlan& plan, uint64_t now_ms,
                                    const Uuid& collection);

/// As far as this process remembers: those that run, and those that were made elsewhere than the plan says.
/// `plan` null: there is none.
void add_remembered(HeldCopies& held, const std::vector<BackupState>& states, const BackupPlan* plan);

}  // namespace akidb::service
