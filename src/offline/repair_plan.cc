#include "offline/repair_plan.h"

#include <algorithm>
#include <numeric>

#include "model/document_id.h"

namespace akidb::offline {
namespace {

class Planner {
  public:
    explicit Planner(const Assessment& found) : found_(found) {}

    RepairPlan run() {
        plan_.covered_sequence =
            found_.log_is_damaged ? found_.history.known_up_to : found_.manifest.covered_sequence;
        while (plan_.files_kept < found_.rows.size() && found_.rows[plan_.files_kept].whole != nullptr) {
            plan_.rows_kept += found_.rows[plan_.files_kept].entry.row_count;
            ++plan_.files_kept;
        }
        plan_.keeps_graph = !found_.graph_is_damaged && plan_.files_kept == found_.rows.size();
        for (size_t i = 0; i < found_.rows.size(); ++i) {
            take_file(found_.rows[i], i < plan_.files_kept);
        }
        take_log();
        return std::move(plan_);
    }

  private:
    static std::string_view id_of(const RowsFile& file, uint64_t index) {
        return file.whole != nullptr ? file.whole->id(index) : file.remaining->id_or_empty(index);
    }

    /// 0: alive. Asked for ascending rows.
    uint64_t known_death(uint64_t row) {
        const std::vector<storage::DeadRow>& dead = found_.dead.dead;
        while (next_dead_ < dead.size() && dead[next_dead_].row < row) {
            ++next_dead_;
        }
        return next_dead_ < dead.size() && dead[next_dead_].row == row ? dead[next_dead_].sequence : 0;
    }

    bool is_unknown(uint64_t row) {
        const std::vector<storage::RowRange>& unknown = found_.dead.unknown;
        while (next_unknown_ < unknown.size() && unknown[next_unknown_].end <= row) {
            ++next_unknown_;
        }
        return next_unknown_ < unknown.size() && unknown[next_unknown_].begin <= row;
    }

    void take_file(const RowsFile& file, bool stays) {
        LostRows lost{.file = file.entry.file.name};
        for (uint64_t index = 0; index < file.entry.row_count; ++index) {
            const uint64_t row = file.entry.first_row + index;
            if (const uint64_t sequence = known_death(row); sequence != 0) {
                mark_if(stays, row, sequence);
            } else if (is_unknown(row)) {
                mark_if(stays, row, std::max<uint64_t>(found_.manifest.covered_sequence, 1));
                ++lost.of_unknown_state;
                lose(file, index, lost);
            } else if (file.whole == nullptr && !file.remaining->is_whole(index)) {
                lose(file, index, lost);
            } else if (const LogEffect* effect = effect_on(id_of(file, index)); effect != nullptr) {
                mark_if(stays, row, effect->sequence);
            } else if (!stays) {
                plan_.new_rows.push_back({.file = &file, .index = index});
            }
        }
        if (lost.documents > 0) {
            plan_.lost.push_back(std::move(lost));
        }
    }

    void mark_if(bool stays, uint64_t row, uint64_t sequence) {
        if (stays) {
            plan_.dead.push_back({static_cast<uint32_t>(row), sequence});
        }
    }

    static void lose(const RowsFile& file, uint64_t index, LostRows& lost) {
        ++lost.documents;
        const auto id = model::DocumentId::decode(id_of(file, index));
        if (id && lost.ids.size() < kIdsToldMax) {
            lost.ids.push_back(id->to_string());
        }
    }

    /// Of the kept records of a damaged log; a whole log stays and is replayed at the next start.
    const LogEffect* effect_on(std::string_view id) const {
        const auto at = found_.history.effects.find(std::string(id));
        return at == found_.history.effects.end() ? nullptr : &at->second;
    }

    void take_log() {
        std::vector<PlannedRow> from_log;
        for (const auto& [id, effect] : found_.history.effects) {
            if (!effect.is_deleted) {
                from_log.push_back({.file = nullptr, .index = 0, .id = &id, .effect = &effect});
            }
        }
        std::sort(from_log.begin(), from_log.end(), [](const PlannedRow& a, const PlannedRow& b) {
            return a.effect->sequence != b.effect->sequence ? a.effect->sequence < b.effect->sequence
                                                            : *a.id < *b.id;
        });
        plan_.new_rows.insert(plan_.new_rows.end(), from_log.begin(), from_log.end());
    }

    const Assessment& found_;
    RepairPlan plan_;
    size_t next_dead_ = 0;
    size_t next_unknown_ = 0;
};

}  // namespace

uint64_t RepairPlan::documents_lost() const {
    return std::accumulate(lost.begin(), lost.end(), uint64_t{0},
                           [](uint64_t sum, const LostRows& rows) { return sum + rows.documents; });
}

RepairPlan plan_repair(const Assessment& found) {
    return Planner(found).run();
}

}  // namespace akidb::offline
