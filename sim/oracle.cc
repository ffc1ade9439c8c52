#include "sim/oracle.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <numeric>

#include "index/stored_vector.h"

namespace akidb::sim {
namespace {

constexpr std::string_view kStampKey = "stamp";

std::string metadata_of(int64_t stamp) {
    model::MetadataWriter writer;
    writer.begin_object();
    writer.key(kStampKey);
    writer.put_int(stamp);
    writer.end();
    return std::move(writer).finish().value();
}

int64_t stamp_of(const std::string& metadata) {
    const auto stamp = model::MetadataView(metadata).member(kStampKey);
    return stamp.has_value() ? stamp->as_int() : -1;
}

model::Filter stamp_filter(int64_t below) {
    model::Filter filter;
    model::RangeCondition range;
    range.key = kStampKey;
    range.lt = static_cast<double>(below);
    filter.must.emplace_back(std::move(range));
    return filter;
}

/// What a filter of stamp_filter compares with.
int64_t stamp_limit(const model::Filter& filter) {
    return static_cast<int64_t>(std::get<model::RangeCondition>(filter.must.front()).lt.value());
}

Result<State> read_all(const engine::Collection& collection) {
    std::vector<model::DocumentId> ids;
    for (uint64_t id = 0; id < kIds; ++id) {
        ids.emplace_back(id);
    }
    AKIDB_TRY(const std::vector<model::Document> documents,
              collection.get(ids, {.vector = true, .metadata = true}));
    State found;
    for (const model::Document& document : documents) {
        const int64_t stamp = stamp_of(document.metadata);
        const bool has_its_side = collection.spec().vectors.empty()
                                      ? document.vectors.empty()
                                      : model::vector_of(document, side_spec().name) == side_of(stamp);
        found[std::get<uint64_t>(document.id.value())] = {document.vector, stamp, document.expires_at_ms,
                                                          has_its_side};
    }
    return found;
}

struct Scored {
    double distance = 0;
    uint64_t id = 0;
    auto operator<=>(const Scored&) const = default;
};

/// All that the filter lets through, nearest first, in double precision.
std::vector<Scored> brute_force(const State& state, const std::vector<float>& query,
                                std::optional<int64_t> stamp_below) {
    std::vector<Scored> scored;
    for (const auto& [id, entry] : state) {
        if (stamp_below && entry.stamp >= *stamp_below) {
            continue;
        }
        double distance = 0;
        for (size_t i = 0; i < query.size(); ++i) {
            const double difference = static_cast<double>(query[i]) - static_cast<double>(entry.vector[i]);
            distance += difference * difference;
        }
        scored.push_back({distance, id});
    }
    std::sort(scored.begin(), scored.end());
    return scored;
}

/// The same documents in the same order, but for neighbours whose distances single precision cannot tell
/// apart.
bool is_same_ranking(const std::vector<uint64_t>& got, const std::vector<Scored>& expected) {
    constexpr double kRounding = 1e-5;
    for (size_t i = 0; i < got.size(); ++i) {
        const auto place =
            std::find_if(expected.begin(), expected.end(), [&](const Scored& s) { return s.id == got[i]; });
        if (place == expected.end() ||
            std::abs(place->distance - expected[i].distance) > kRounding * (1 + expected[i].distance)) {
            return false;
        }
    }
    return true;
}

/// `name`: of the vector that searches go by, which `state` has as its only one.
std::string check_search(const engine::Collection& collection, const State& state, Dice& dice,
                         const std::string& name = {}) {
    const int64_t newest =
        std::accumulate(state.begin(), state.end(), int64_t{0},
                        [](int64_t stamp, const auto& named) { return std::max(stamp, named.second.stamp); });
    model::SearchRequest request = random_search(dice, newest + 1);
    request.vector_name = name;
    if (!state.empty() && dice.coin()) {
        request.vector = draw_vector(state, dice);
    }
    const auto reply = collection.search(request);
    if (!reply.has_value()) {
        return "search failed: " + reply.error().message();
    }
    return judge_reply(state, request, *reply);
}

std::string describe_difference(const State& found, const State& expected) {
    std::string text;
    for (uint64_t id = 0; id < kIds; ++id) {
        const auto there = found.find(id);
        const auto wanted = expected.find(id);
        if (wanted == expected.end() && there != found.end()) {
            text += " ghost " + std::to_string(id) + "@" + std::to_string(there->second.stamp);
        } else if (wanted != expected.end() && there == found.end()) {
            text += " lost " + std::to_string(id) + "@" + std::to_string(wanted->second.stamp);
        } else if (wanted != expected.end() && !(there->second == wanted->second)) {
            text += " wrong version of " + std::to_string(id) + ": " + std::to_string(there->second.stamp) +
                    " instead of " + std::to_string(wanted->second.stamp);
        }
    }
    return text;
}

std::optional<model::WriteKey> key_of(const Operation& operation) {
    if (operation.key == 0) {
        return std::nullopt;
    }
    model::WriteKey key;
    std::memcpy(key.key.bytes.data(), &operation.key, sizeof(operation.key));
    key.fingerprint = key.key;
    return key;
}

}  // namespace

model::VectorSpec side_spec() {
    return {.name = "side",
            .dimension = kDimension,
            .metric = model::Metric::kL2,
            .storage = model::VectorStorage::kF16};
}

std::vector<float> side_of(int64_t stamp) {
    if (stamp % 3 == 0) {
        return {};
    }
    Dice dice(static_cast<uint64_t>(stamp));
    std::vector<float> vector = random_vector(dice);
    index::round_to_stored(side_spec().storage, vector);
    return vector;
}

const std::vector<float>& draw_vector(const State& state, Dice& dice) {
    return std::next(state.begin(), static_cast<std::ptrdiff_t>(dice.below(state.size())))->second.vector;
}

std::string judge_reply(const State& state, const model::SearchRequest& request,
                        const model::SearchReply& reply) {
    std::optional<int64_t> stamp_below;
    if (request.filter != nullptr) {
        stamp_below = stamp_limit(*request.filter);
    }
    std::vector<uint64_t> got;
    for (const model::SearchMatch& match : reply.matches) {
        got.push_back(std::get<uint64_t>(match.document.id.value()));
    }
    const std::vector<Scored> expected = brute_force(state, request.vector, stamp_below);
    const size_t due = std::min<size_t>(request.top_k, expected.size());
    if (got.size() != due) {
        return "search returned " + std::to_string(got.size()) + " instead of " + std::to_string(due);
    }
    if (reply.exact && !is_same_ranking(got, expected)) {
        return "exact search is not brute force";
    }
    // Whoever asks for a document finds it, linked or not; these graphs are too small to miss one.
    if (!expected.empty() && expected.front().distance == 0 && got.front() != expected.front().id) {
        return "a search for the vector of document " + std::to_string(expected.front().id) +
               " does not find it first";
    }
    for (const uint64_t id : got) {
        if (!state.contains(id)) {
            return "search returned document " + std::to_string(id) + ", which is not there";
        }
    }
    return {};
}

model::SearchRequest random_search(Dice& dice, int64_t next_stamp) {
    model::SearchRequest request;
    request.vector = random_vector(dice);
    request.top_k = 1 + static_cast<uint32_t>(dice.below(10));
    request.params.exact = dice.coin();
    if (dice.one_in(3)) {
        const auto range = static_cast<uint64_t>(std::min<int64_t>(next_stamp, 400));
        const int64_t below = next_stamp - static_cast<int64_t>(dice.below(range));
        request.filter = std::make_shared<model::Filter>(stamp_filter(below));
    }
    return request;
}

std::vector<float> random_vector(Dice& dice) {
    std::vector<float> vector(kDimension);
    for (float& component : vector) {
        component = static_cast<float>(dice.below(2001)) / 1000.0f - 1.0f;
    }
    vector[0] += 3.0f;  // never zero
    return vector;
}

uint64_t random_expiry(Dice& dice, uint64_t now_ms) {
    return dice.one_in(4) ? now_ms + 1'000 * (1 + dice.below(12)) : 0;
}

Operation random_operation(Dice& dice, int64_t& next_stamp, uint64_t now_ms) {
    Operation operation;
    const uint64_t kind = dice.below(10);
    if (kind < 7) {
        const uint64_t count = 1 + dice.below(6);
        for (uint64_t i = 0; i < count; ++i) {
            operation.documents.emplace_back(
                dice.below(kIds), Entry{random_vector(dice), next_stamp++, random_expiry(dice, now_ms)});
        }
    } else if (kind < 9) {
        operation.kind = Operation::Kind::kDelete;
        const uint64_t count = 1 + dice.below(4);
        for (uint64_t i = 0; i < count; ++i) {
            operation.ids.push_back(dice.below(kIds));
        }
    } else {
        operation.kind = Operation::Kind::kDeleteMatching;
        operation.stamp_below = next_stamp - static_cast<int64_t>(dice.below(60));
    }
    operation.key = dice.coin() ? dice.next() | 1 : 0;
    return operation;
}

void apply(const Operation& operation, State& state) {
    switch (operation.kind) {
        case Operation::Kind::kUpsert:
            for (const auto& [id, entry] : operation.documents) {
                state[id] = entry;
            }
            return;
        case Operation::Kind::kDelete:
            for (const uint64_t id : operation.ids) {
                state.erase(id);
            }
            return;
        case Operation::Kind::kDeleteMatching:
            std::erase_if(state,
                          [&](const auto& named) { return named.second.stamp < operation.stamp_below; });
            return;
        case Operation::Kind::kRestamp:
            for (const uint64_t id : operation.ids) {
                if (const auto found = state.find(id); found != state.end()) {
                    found->second.stamp = operation.stamp;
                }
            }
            return;
    }
}

void keep(model::VectorStorage storage, State& state) {
    for (auto& [id, entry] : state) {
        index::round_to_stored(storage, entry.vector);
    }
}

Result<engine::WriteReply> perform(const Operation& operation, engine::Collection& collection) {
    switch (operation.kind) {
        case Operation::Kind::kUpsert: {
            std::vector<model::Document> documents;
            for (const auto& [id, entry] : operation.documents) {
                model::Document document;
                document.id = model::DocumentId(id);
                document.vector = entry.vector;
                if (std::vector<float> side = side_of(entry.stamp);
                    !side.empty() && !collection.spec().vectors.empty()) {
                    document.vectors.push_back({side_spec().name, std::move(side)});
                }
                document.metadata = metadata_of(entry.stamp);
                document.expires_at_ms = entry.expires_at_ms;
                documents.push_back(std::move(document));
            }
            return collection.upsert(std::move(documents), key_of(operation));
        }
        case Operation::Kind::kDelete: {
            std::vector<model::DocumentId> ids;
            for (const uint64_t id : operation.ids) {
                ids.emplace_back(id);
            }
            return collection.remove(ids, key_of(operation));
        }
        case Operation::Kind::kDeleteMatching:
            return collection.remove_matching(stamp_filter(operation.stamp_below), key_of(operation));
        case Operation::Kind::kRestamp: {
            model::UpdateAll all;
            all.which = std::vector<model::DocumentId>(operation.ids.begin(), operation.ids.end());
            all.change.merge = metadata_of(operation.stamp);
            return collection.update(all, key_of(operation));
        }
    }
    return Error(Code::kInternal, "unknown operation");
}

void Oracle::acknowledged(const Operation& operation) {
    for (State& state : allowed_) {
        apply(operation, state);
    }
    drop_expired();
}

void Oracle::set_now(uint64_t now_ms) {
    now_ms_ = now_ms;
    drop_expired();
}

void Oracle::drop_expired() {
    for (State& state : allowed_) {
        std::erase_if(state, [&](const auto& named) {
            return named.second.expires_at_ms != 0 && named.second.expires_at_ms <= now_ms_;
        });
    }
}

void Oracle::unknown(const Operation& operation) {
    const size_t before = allowed_.size();
    for (size_t i = 0; i < before; ++i) {
        State applied = allowed_[i];
        apply(operation, applied);
        allowed_.push_back(std::move(applied));
    }
    drop_expired();
}

std::string Oracle::check(const engine::Collection& collection, Dice& dice) {
    const Result<State> found = read_all(collection);
    if (!found.has_value()) {
        return "get failed: " + found.error().message();
    }
    for (State& state : allowed_) {
        keep(collection.spec().storage, state);
    }
    const auto match = std::find(allowed_.begin(), allowed_.end(), *found);
    if (match == allowed_.end()) {
        return "the documents are none of the " + std::to_string(allowed_.size()) +
               " allowed states; against the first:" + describe_difference(*found, allowed_.front());
    }
    State state = std::move(*match);
    const auto counted = collection.count(nullptr);
    if (!counted.has_value() || *counted != state.size()) {
        return "the count differs from the documents";
    }
    for (int i = 0; i < 3; ++i) {
        if (std::string wrong = check_search(collection, state, dice); !wrong.empty()) {
            return wrong;
        }
    }
    if (!collection.spec().vectors.empty()) {
        State by_side;
        for (const auto& [id, entry] : state) {
            if (std::vector<float> side = side_of(entry.stamp); !side.empty()) {
                by_side[id] = entry;
                by_side[id].vector = std::move(side);
            }
        }
        for (int i = 0; i < 2; ++i) {
            if (std::string wrong = check_search(collection, by_side, dice, side_spec().name);
                !wrong.empty()) {
                return wrong + ", by the second vector";
            }
        }
    }
    allowed_.assign(1, std::move(state));
    return {};
}

}  // namespace akidb::sim
