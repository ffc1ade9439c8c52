#include "verifier.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace akidb::crash {
namespace {

constexpr size_t kPrintedMax = 20;
const std::string kPath = std::string("/api/v1/collections/") + kCollection;

}  // namespace

void Verifier::check_all() {
    const Stamps stamps = read_by_ids();
    judge_groups(stamps);
    check_counts(stamps);
    check_exact_search(stamps);
    check_default_search(stamps);
    check_collections();
    note_progress();
}

Json Verifier::ask(std::string_view method, const std::string& path, const Json& body) {
    const Answer answer = exchange(connection_, method, path, body.is_null() ? "" : body.dump());
    if (answer.status != 200) {
        throw std::runtime_error(path + " was answered " + std::to_string(answer.status) + " " + answer.body);
    }
    return Json::parse(answer.body);
}

void Verifier::note(uint64_t& counter, const std::string& what) {
    ++counter;
    if (++printed_ <= kPrintedMax) {
        std::fprintf(stderr, "%s\n", what.c_str());
    }
}

/// False, and counted, when the document is none that the test wrote or was seen before.
bool Verifier::take(const Json& document, const char* way, Stamps& stamps) {
    const std::optional<Place> place = place_of(document.at("id"));
    if (!place) {
        note(tally_.ghosts, std::string(way) + " shows an id nobody wrote: " + document.dump());
        return false;
    }
    const Json& metadata = document.at("metadata");
    const auto stamp = metadata.at("stamp").get<uint64_t>();
    if (!stamps.emplace(std::pair(place->group, place->member), stamp).second) {
        note(tally_.ghosts, std::string(way) + " shows twice: " + document.dump());
        return false;
    }
    if (metadata.at("group").get<size_t>() != place->group ||
        document.at("vector").get<std::vector<float>>() != vector_of(*place, stamp)) {
        note(tally_.half_batches, std::string(way) + " shows a mix of writes: " + document.dump());
    }
    return true;
}

Verifier::Stamps Verifier::read_by_ids() {
    Stamps stamps;
    Json ids = Json::array();
    for (size_t group = 0; group < kGroups; ++group) {
        for (size_t member = 0; member < members_of(group); ++member) {
            ids.push_back(id_of({group, member}));
        }
    }
    const Json answer =
        ask("POST", kPath + "/documents/get", {{"ids", ids}, {"include", {"vector", "metadata"}}});
    for (const Json& document : answer.at("documents")) {
        take(document, "get", stamps);
    }
    return stamps;
}

void Verifier::judge_groups(const Stamps& stamps) {
    group_stamps_.assign(kGroups, kAbsent);
    for (size_t group = 0; group < kGroups; ++group) {
        const auto first = stamps.lower_bound({group, 0});
        const auto end = stamps.lower_bound({group + 1, 0});
        const uint64_t stamp = first == end ? kAbsent : first->second;
        group_stamps_[group] = stamp;
        const bool is_whole =
            first == end || (static_cast<size_t>(std::distance(first, end)) == members_of(group) &&
                             std::all_of(first, end, [&](const auto& one) { return one.second == stamp; }));
        const std::string what = "group " + std::to_string(group) + " has stamp " + std::to_string(stamp) +
                                 "; " + documents_.describe(group);
        if (!is_whole) {
            note(tally_.half_batches, "half a batch: " + what);
        }
        const Verdict verdict = documents_.judge(group, stamp);
        if (verdict != Verdict::kFine) {
            const bool is_lost = verdict == Verdict::kLost;
            note(is_lost ? tally_.lost : tally_.ghosts, (is_lost ? "lost: " : "ghost: ") + what);
        }
        documents_.settle(group, stamp);
    }
}

void Verifier::check_counts(const Stamps& stamps) {
    const auto count = [&](const Json& body) {
        return ask("POST", kPath + "/count", body).at("count").get<uint64_t>();
    };
    if (const uint64_t all = count(Json::object()); all != stamps.size()) {
        note(tally_.disagreements,
             "count says " + std::to_string(all) + ", get finds " + std::to_string(stamps.size()));
    }
    for (size_t group = 0; group < kGroups; ++group) {
        const uint64_t stamp = group_stamps_[group];
        const uint64_t there = stamp == kAbsent ? 0 : members_of(group);
        const uint64_t by_group = count({{"filter", filter_of("group", group)}});
        const uint64_t by_stamp = stamp == kAbsent ? 0 : count({{"filter", filter_of("stamp", stamp)}});
        if (by_group != there || by_stamp != there) {
            note(tally_.disagreements, "group " + std::to_string(group) + ": " + std::to_string(there) +
                                           " by id, " + std::to_string(by_group) + " by group, " +
                                           std::to_string(by_stamp) + " by stamp");
        }
    }
}

void Verifier::check_exact_search(const Stamps& stamps) {
    Stamps found;
    const Json answer = ask("POST", kPath + "/search",
                            {{"vector", vector_of({0, 0}, 1)},
                             {"top_k", documents_in_all_groups() + 100},
                             {"include", {"vector", "metadata"}},
                             {"params", {{"exact", true}}}});
    for (const Json& match : answer.at("matches")) {
        take(match, "exact search", found);
    }
    if (found != stamps) {
        note(tally_.disagreements, "exact search finds " + std::to_string(found.size()) +
                                       " documents, get finds " + std::to_string(stamps.size()) +
                                       (found.size() == stamps.size() ? ", with other stamps" : ""));
    }
}

void Verifier::check_default_search(const Stamps& stamps) {
    for (size_t group = 0; group < kGroups; ++group) {
        const uint64_t stamp = group_stamps_[group];
        const Place place{group, members_of(group) - 1};
        const Json answer =
            ask("POST", kPath + "/search",
                {{"vector", vector_of(place, stamp)}, {"top_k", 10}, {"include", {"vector", "metadata"}}});
        Stamps found;
        for (const Json& match : answer.at("matches")) {
            take(match, "search", found);
        }
        for (const auto& [where, shown] : found) {
            const auto known = stamps.find(where);
            if (known == stamps.end() || known->second != shown) {
                note(tally_.disagreements, "search shows stamp " + std::to_string(shown) + " in group " +
                                               std::to_string(where.first) + ", get does not");
            }
        }
        if (stamp != kAbsent) {
            ++tally_.searches;
            tally_.misses += found.contains({place.group, place.member}) ? 0 : 1;
        }
    }
}

void Verifier::check_collections() {
    std::vector<uint64_t> found(slots_.collections.things(), kAbsent);
    const Json answer = ask("GET", "/api/v1/collections");
    for (const Json& one : answer.at("collections")) {
        if (one.at("name") == kCollection) {
            continue;
        }
        const std::optional<Slot> slot = slot_of(one);
        if (!slot || slot->slot >= found.size() || found[slot->slot] != kAbsent ||
            one.at("condition") != "serving") {
            note(tally_.ghosts, "an unexpected collection: " + one.dump());
            continue;
        }
        found[slot->slot] = slot->stamp;
    }
    for (size_t slot = 0; slot < found.size(); ++slot) {
        judge_slot(slot, "collection", slots_.collections, found[slot]);
        judge_slot(slot, "documents", slots_.contents,
                   found[slot] == kAbsent ? kAbsent : stamp_in_slot(slot));
    }
}

void Verifier::judge_slot(size_t slot, const char* what, Ledger& ledger, uint64_t stamp) {
    const Verdict verdict = ledger.judge(slot, stamp);
    if (verdict != Verdict::kFine) {
        note(verdict == Verdict::kLost ? tally_.lost : tally_.ghosts,
             std::string(what) + " of slot " + std::to_string(slot) + ": stamp " + std::to_string(stamp) +
                 "; " + ledger.describe(slot));
    }
    ledger.settle(slot, stamp);
}

uint64_t Verifier::stamp_in_slot(size_t slot) {
    Json ids = Json::array();
    for (size_t number = 0; number < kSlotDocuments; ++number) {
        ids.push_back(number);
    }
    const Json answer =
        ask("POST", slot_path(slot) + "/documents/get", {{"ids", ids}, {"include", {"metadata"}}});
    const Json& documents = answer.at("documents");
    const uint64_t stamp =
        documents.empty() ? kAbsent : documents[0].at("metadata").at("stamp").get<uint64_t>();
    const bool is_whole =
        documents.empty() || (documents.size() == kSlotDocuments &&
                              std::all_of(documents.begin(), documents.end(), [&](const Json& one) {
                                  return one.at("metadata").at("stamp") == stamp;
                              }));
    if (!is_whole) {
        note(tally_.half_batches, "half a batch in slot " + std::to_string(slot) + ": " + documents.dump());
    }
    return stamp;
}

void Verifier::note_progress() {
    const Json stats = ask("GET", kPath + "/stats");
    tally_.linked_rows_max = std::max(tally_.linked_rows_max, stats.at("linked_rows").get<uint64_t>());
    tally_.covered_sequence_max =
        std::max(tally_.covered_sequence_max, stats.at("covered_sequence").get<uint64_t>());
    const auto rows = stats.at("rows").get<uint64_t>();
    tally_.rewrites += rows < tally_.rows_before ? 1 : 0;
    tally_.rows_before = rows;
}

}  // namespace akidb::crash
