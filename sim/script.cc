#include "sim/script.h"

#include <iterator>

namespace akidb::sim {
namespace {

constexpr uint64_t kPrologueDocuments = 8;

std::vector<uint64_t> ids_there(const State& state, bool wanted) {
    std::vector<uint64_t> ids;
    for (uint64_t id = 0; id < kIds; ++id) {
        if (state.contains(id) == wanted) {
            ids.push_back(id);
        }
    }
    return ids;
}

uint64_t one_of(const std::vector<uint64_t>& ids, Dice& dice) {
    return ids.empty() ? dice.below(kIds) : ids[dice.below(ids.size())];
}

void add(Operation& operation, uint64_t id, Dice& dice, int64_t& next_stamp, uint64_t now_ms) {
    operation.documents.emplace_back(id,
                                     Entry{random_vector(dice), next_stamp++, random_expiry(dice, now_ms)});
}

}  // namespace

const char* name_of(Step step) {
    constexpr const char* kNames[] = {"upsert new",    "overwrite",       "batch",    "reinsert",
                                      "delete",        "delete matching", "maintain", "run job",
                                      "declare index", "restart",         "kill",     "rewrite",
                                      "pass time",     "drop and create"};
    static_assert(std::size(kNames) == std::size(kSteps));
    return kNames[static_cast<size_t>(step)];
}

std::string describe(const Script& script) {
    std::string text;
    for (const Step step : script) {
        text += text.empty() ? "" : ", ";
        text += name_of(step);
    }
    return text;
}

std::vector<Script> all_scripts(size_t steps_max) {
    std::vector<Script> scripts;
    size_t begin = 0;
    scripts.emplace_back();
    for (size_t length = 1; length <= steps_max; ++length) {
        const size_t end = scripts.size();
        for (size_t i = begin; i < end; ++i) {
            for (const Step step : kSteps) {
                Script longer = scripts[i];
                longer.push_back(step);
                scripts.push_back(std::move(longer));
            }
        }
        begin = end;
    }
    scripts.erase(scripts.begin());
    return scripts;
}

bool is_write(Step step) {
    return step <= Step::kDeleteMatching;
}

Operation operation_of(Step step, const State& state, Dice& dice, int64_t& next_stamp, uint64_t now_ms) {
    const std::vector<uint64_t> there = ids_there(state, true);
    const std::vector<uint64_t> absent = ids_there(state, false);
    Operation operation;
    switch (step) {
        case Step::kUpsertNew:
            add(operation, absent.empty() ? dice.below(kIds) : absent.back(), dice, next_stamp, now_ms);
            break;
        case Step::kOverwrite:
            add(operation, one_of(there, dice), dice, next_stamp, now_ms);
            break;
        case Step::kBatch: {
            const uint64_t twice = one_of(there, dice);
            for (const uint64_t id : {twice, one_of(absent, dice), one_of(absent, dice), twice}) {
                add(operation, id, dice, next_stamp, now_ms);
            }
            break;
        }
        case Step::kReinsert:
            add(operation, absent.empty() ? dice.below(kIds) : absent.front(), dice, next_stamp, now_ms);
            break;
        case Step::kDelete:
            operation.kind = Operation::Kind::kDelete;
            operation.ids = {one_of(there, dice), one_of(absent, dice)};
            break;
        case Step::kDeleteMatching:
            operation.kind = Operation::Kind::kDeleteMatching;
            operation.stamp_below = next_stamp - 1 - static_cast<int64_t>(state.size() / 2);
            break;
        default:
            break;
    }
    operation.key = dice.coin() ? dice.next() | 1 : 0;
    return operation;
}

std::vector<Operation> prologue(Dice& dice, int64_t& next_stamp, uint64_t now_ms) {
    Operation upsert;
    for (uint64_t id = 0; id < kPrologueDocuments; ++id) {
        add(upsert, id, dice, next_stamp, now_ms);
    }
    Operation deletion;
    deletion.kind = Operation::Kind::kDelete;
    deletion.ids = {kPrologueDocuments - 1};
    return {upsert, deletion};
}

}  // namespace akidb::sim
