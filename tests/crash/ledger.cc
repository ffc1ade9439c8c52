#include "ledger.h"

#include <algorithm>

namespace akidb::crash {
namespace {

std::string name_of(uint64_t stamp) {
    return stamp == kAbsent ? "absent" : std::to_string(stamp);
}

}  // namespace

Ticket Ledger::begin(size_t thing, bool makes_stamp) {
    MutexLock lock(mutex_);
    std::vector<Write>& writes = histories_[thing].writes;
    const uint64_t stamp = next_++;
    writes.push_back({.makes = makes_stamp ? stamp : kAbsent, .stamp = stamp, .begun = stamp});
    return {thing, writes.size() - 1, stamp};
}

void Ledger::end(const Ticket& ticket, Outcome outcome) {
    MutexLock lock(mutex_);
    Write& write = histories_[ticket.thing].writes[ticket.place];
    write.outcome = outcome;
    write.ended = next_++;
    acknowledged_ += outcome == Outcome::kAcknowledged ? 1 : 0;
}

Verdict Ledger::judge(size_t thing, uint64_t stamp) const {
    MutexLock lock(mutex_);
    const History& history = histories_[thing];
    uint64_t last_begun_and_acknowledged = 0;
    for (const Write& write : history.writes) {
        if (write.outcome == Outcome::kAcknowledged) {
            last_begun_and_acknowledged = std::max(last_begun_and_acknowledged, write.begun);
        }
    }
    if (history.settled == stamp && last_begun_and_acknowledged == 0) {
        return Verdict::kFine;
    }
    bool is_known = history.settled == stamp;
    for (const Write& write : history.writes) {
        if (write.makes != stamp || write.outcome == Outcome::kRefused) {
            continue;
        }
        is_known = true;
        const bool has_answer = write.outcome == Outcome::kAcknowledged;
        if (!has_answer || write.ended > last_begun_and_acknowledged) {
            return Verdict::kFine;
        }
    }
    if (stamp == kAbsent || !is_known) {
        return stamp == kAbsent ? Verdict::kLost : Verdict::kGhost;
    }
    // An old state came back: over a newer one, which is lost, or after its deletion.
    const bool was_deleted_last =
        std::any_of(history.writes.begin(), history.writes.end(), [&](const Write& write) {
            return write.begun == last_begun_and_acknowledged && write.makes == kAbsent;
        });
    return was_deleted_last ? Verdict::kGhost : Verdict::kLost;
}

void Ledger::settle(size_t thing, uint64_t stamp) {
    MutexLock lock(mutex_);
    histories_[thing] = {.settled = stamp, .writes = {}};
}

uint64_t Ledger::latest(size_t thing) const {
    MutexLock lock(mutex_);
    const History& history = histories_[thing];
    for (auto write = history.writes.rbegin(); write != history.writes.rend(); ++write) {
        if (write->outcome != Outcome::kRefused) {
            return write->makes;
        }
    }
    return history.settled;
}

std::string Ledger::describe(size_t thing) const {
    MutexLock lock(mutex_);
    const History& history = histories_[thing];
    std::string text = "settled " + name_of(history.settled);
    const size_t first = history.writes.size() - std::min<size_t>(history.writes.size(), 8);
    for (size_t at = first; at < history.writes.size(); ++at) {
        const Write& write = history.writes[at];
        const char* outcome = write.outcome == Outcome::kUnknown   ? "unknown"
                              : write.outcome == Outcome::kRefused ? "refused"
                                                                   : "acknowledged";
        text += ", " + (write.makes == kAbsent ? "delete" : "write " + std::to_string(write.makes)) + " [" +
                std::to_string(write.begun) + ".." +
                (write.ended == 0 ? std::string() : std::to_string(write.ended)) + "] " + outcome;
    }
    return text;
}

}  // namespace akidb::crash
