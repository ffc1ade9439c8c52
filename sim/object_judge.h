// ObjectJudge: asks the object store, while it is calm, whether what it holds is what the model says: backups
// restored whole and to points, copies of tiers read to their last byte. Each answer is empty when all is
// well, else what is wrong. Single-threaded.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/object_history.h"
#include "sim/object_model.h"
#include "sim/object_world.h"

namespace akidb::sim {

class ObjectJudge {
  public:
    ObjectJudge(ObjectWorld& world, std::vector<Life>& lives, ObjectCounts& counts)
        : world_(world), lives_(lives), counts_(counts) {}

    /// Somebody damaged an object for good: from now on a refusal by its name is right.
    void note_damage() { is_damaged_ = true; }
    bool is_damaged() const { return is_damaged_; }

    /// What is left of restores, also of one in which the machine died.
    void clear();
    /// Ids of all manifests that are there.
    std::vector<Uuid> backups() const;
    /// Whose manifests are under way.
    size_t late_backups() const;
    std::string judge_backup(const Uuid& id);
    /// Restores it as the store is, calm or not: an error is none's fault.
    std::string try_restore(const Uuid& id);
    /// A random point of a random collection, or the newest.
    std::string judge_point(const Uuid& timeline, Dice& dice);
    std::string judge_copy(ObjectServer& server, const Life& life);
    /// That nothing else is there than what the copy names.
    std::string judge_erased(ObjectServer& server, const Life& life);

  private:
    enum class Errors : uint8_t { kAreFaults, kAreAllowed };
    bool is_excused(const Uuid& backup) const;
    std::string refusal(const std::string& what, const Error& error, bool is_excused);
    std::string restore_whole(const backup::BackupManifest& manifest, Errors errors);
    std::string compare(const Uuid& collection, uint64_t sequence);
    std::optional<uint64_t> oldest_of(const Uuid& timeline, const Life& life);
    Result<catalog::TierRow> row_of(ObjectServer& server, const Life& life);
    bool is_gap(const std::string& fault, const backup::BackupManifest& manifest) const;

    ObjectWorld& world_;
    std::vector<Life>& lives_;
    ObjectCounts& counts_;
    bool is_damaged_ = false;
};

}  // namespace akidb::sim
