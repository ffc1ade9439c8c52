#include "sim/retries.h"

#include <algorithm>
#include <utility>

namespace akidb::sim {
namespace {

constexpr size_t kKept = 4;

/// Stamps are unique, so a state that has all of an upsert has seen it.
bool has_all_of(const Operation& upsert, const State& state, model::VectorStorage storage) {
    State applied;
    apply(upsert, applied);
    keep(storage, applied);
    return std::all_of(applied.begin(), applied.end(), [&](const auto& named) {
        const auto there = state.find(named.first);
        return there != state.end() && there->second == named.second;
    });
}

}  // namespace

void Retries::acknowledged(const Operation& operation, const engine::WriteReply& reply) {
    unknown_.reset();
    if (operation.key == 0) {
        return;
    }
    acknowledged_.push_back({operation, reply});
    if (acknowledged_.size() > kKept) {
        acknowledged_.pop_front();
    }
}

void Retries::unknown(const Operation& operation) {
    unknown_.reset();
    if (operation.key != 0) {
        unknown_ = operation;
    }
}

std::string Retries::retry_unknown(engine::Collection& collection, Oracle& oracle) {
    const Operation operation = *std::exchange(unknown_, std::nullopt);
    const auto reply = perform(operation, collection);
    if (!reply.has_value()) {
        return "the retry of a write with a key was refused: " + reply.error().message();
    }
    const model::VectorStorage storage = collection.spec().storage;
    Oracle applied = oracle;
    applied.acknowledged(operation);
    State before = oracle.state();
    State after = applied.state();
    keep(storage, before);
    keep(storage, after);
    if (reply->is_replay && after != before) {
        return "a key is remembered, and its write is not there";
    }
    if (!reply->is_replay && operation.kind == Operation::Kind::kUpsert &&
        has_all_of(operation, before, storage)) {
        return "a write with a key was there, and its retry was applied again";
    }
    oracle.acknowledged(operation);
    acknowledged(operation, *reply);
    return {};
}

std::string Retries::check(engine::Collection& collection, Oracle& oracle) {
    if (unknown_.has_value()) {
        if (std::string wrong = retry_unknown(collection, oracle); !wrong.empty()) {
            return wrong;
        }
    }
    const uint64_t last_sequence = collection.stats().last_sequence;
    for (const Acknowledged& known : acknowledged_) {
        const auto reply = perform(known.operation, collection);
        if (!reply.has_value()) {
            return "a retry of an acknowledged write was refused: " + reply.error().message();
        }
        if (!reply->is_replay || collection.stats().last_sequence != last_sequence) {
            return "a retry of an acknowledged write was applied a second time";
        }
        if (reply->sequence != known.reply.sequence || reply->count != known.reply.count) {
            return "a retry of an acknowledged write was answered otherwise than the first time";
        }
    }
    return {};
}

}  // namespace akidb::sim
