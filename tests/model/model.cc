#include "model.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace akidb::modelcheck {
namespace {

/// All scalars at a path of one step, arrays item by item.
std::vector<Json> values_at(const Json& metadata, const std::string& key) {
    std::vector<Json> values;
    const auto found = metadata.find(key);
    if (found == metadata.end()) {
        return values;
    }
    if (found->is_array()) {
        values.assign(found->begin(), found->end());
    } else {
        values.push_back(*found);
    }
    return values;
}

bool is_scalar(const Json& value) {
    return value.is_string() || value.is_boolean() || value.is_number();
}

bool is_met(const Json& condition, const Id& id, const Json& metadata) {
    if (condition.contains("has_id")) {
        const Json& ids = condition["has_id"];
        return std::any_of(ids.begin(), ids.end(), [&](const Json& one) { return id_of(one) == id; });
    }
    if (condition.contains("is_empty")) {
        const std::vector<Json> values = values_at(metadata, condition["is_empty"]["key"]);
        return std::all_of(values.begin(), values.end(), [](const Json& value) { return value.is_null(); });
    }
    const std::vector<Json> values = values_at(metadata, condition["key"]);
    if (condition.contains("range")) {
        const Json& range = condition["range"];
        return std::any_of(values.begin(), values.end(), [&](const Json& value) {
            return value.is_number() && (!range.contains("gte") || value >= range["gte"]) &&
                   (!range.contains("lt") || value < range["lt"]);
        });
    }
    const Json& match = condition["match"];
    const auto has = [&](const Json& wanted) {
        return std::find(values.begin(), values.end(), wanted) != values.end();
    };
    if (match.contains("value")) {
        return has(match["value"]);
    }
    if (match.contains("prefix")) {
        const std::string prefix = match["prefix"];
        return std::any_of(values.begin(), values.end(), [&](const Json& value) {
            return value.is_string() && value.get<std::string>().starts_with(prefix);
        });
    }
    const Json& list = match.contains("any") ? match["any"] : match["except"];
    const bool is_listed = std::any_of(list.begin(), list.end(), has);
    return match.contains("any") ? is_listed
                                 : !is_listed && std::any_of(values.begin(), values.end(), is_scalar);
}

void merge_into(Json& target, const Json& given) {
    for (const auto& [name, value] : given.items()) {
        if (value.is_object() && target.contains(name) && target[name].is_object()) {
            merge_into(target[name], value);
        } else {
            target[name] = value;
        }
    }
}

}  // namespace

Id id_of(const Json& json) {
    return json.is_string() ? Id{true, 0, json.get<std::string>()} : Id{false, json.get<uint64_t>(), ""};
}

Json json_of(const Id& id) {
    return id.is_text ? Json(id.text) : Json(id.number);
}

bool matches(const Json& filter, const Id& id, const Json& metadata) {
    const auto is_one_met = [&](const Json& condition) {
        return condition.contains("must") || condition.contains("should") || condition.contains("must_not")
                   ? matches(condition, id, metadata)
                   : is_met(condition, id, metadata);
    };
    const auto list = [&](const char* name) { return filter.contains(name) ? filter[name] : Json::array(); };
    const Json must = list("must");
    const Json should = list("should");
    const Json must_not = list("must_not");
    return std::all_of(must.begin(), must.end(), is_one_met) &&
           (should.empty() || std::any_of(should.begin(), should.end(), is_one_met)) &&
           std::none_of(must_not.begin(), must_not.end(), is_one_met);
}

void Model::upsert(const Json& documents, uint64_t sequence) {
    for (const Json& document : documents) {
        const Id id = id_of(document["id"]);
        entries_[id] = {document["vector"].get<std::vector<int>>(),
                        document.value("metadata", Json::object()),
                        sequence,
                        document.value("expires_at", ""),
                        {}};
        if (document.contains("vectors")) {
            entries_[id].side = document["vectors"]["side"].get<std::vector<int>>();
        }
        if (entries_[id].expires_at == kPast) {
            entries_.erase(id);
        }
    }
}

size_t Model::update(const std::vector<Id>& ids, const Json& change, uint64_t sequence) {
    size_t changed = 0;
    for (const Id& id : ids) {
        const auto found = entries_.find(id);
        if (found == entries_.end()) {
            continue;
        }
        Entry& entry = found->second;
        changed += entry.version == sequence ? 0 : 1;
        entry.version = sequence;
        if (change.contains("set")) {
            entry.metadata = change["set"];
        }
        if (change.contains("remove")) {
            for (const Json& name : change["remove"]) {
                entry.metadata.erase(name.get<std::string>());
            }
        }
        if (change.contains("merge")) {
            merge_into(entry.metadata, change["merge"]);
        }
        if (change.contains("vector")) {
            entry.vector = change["vector"].get<std::vector<int>>();
        }
        if (change.contains("vectors")) {
            entry.side = change["vectors"]["side"].get<std::vector<int>>();
        }
        if (change.contains("remove_vectors")) {
            entry.side.clear();
        }
        if (change.contains("expires_at")) {
            entry.expires_at = change["expires_at"].is_null() ? "" : change["expires_at"].get<std::string>();
        }
        if (entry.expires_at == kPast) {
            entries_.erase(found);
        }
    }
    return changed;
}

size_t Model::remove(const std::vector<Id>& ids) {
    size_t removed = 0;
    for (const Id& id : ids) {
        removed += entries_.erase(id);
    }
    return removed;
}

const Entry* Model::find(const Id& id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
}

std::vector<Id> Model::matching(const Json& filter) const {
    std::vector<Id> ids;
    for (const auto& [id, entry] : entries_) {
        if (matches(filter, id, entry.metadata)) {
            ids.push_back(id);
        }
    }
    return ids;
}

std::vector<Id> Model::all() const {
    return matching(Json::object());
}

std::vector<std::pair<float, Id>> Model::ranked(const std::vector<int>& vector, const Json& filter,
                                                By by) const {
    std::vector<std::pair<float, Id>> ranked;
    for (const auto& [id, entry] : entries_) {
        const std::vector<int>& own = by == By::kSide ? entry.side : entry.vector;
        if (own.empty() || !matches(filter, id, entry.metadata)) {
            continue;
        }
        int squared = 0;
        for (size_t i = 0; i < vector.size(); ++i) {
            squared += (vector[i] - own[i]) * (vector[i] - own[i]);
        }
        ranked.emplace_back(std::sqrt(static_cast<float>(squared)), id);
    }
    std::sort(ranked.begin(), ranked.end());
    return ranked;
}

Json Model::search(const std::vector<int>& vector, const Json& filter, size_t top_k, By by) const {
    Json matches = Json::array();
    for (const auto& [score, id] : ranked(vector, filter, by)) {
        if (matches.size() == top_k) {
            break;
        }
        matches.push_back({{"id", json_of(id)}, {"score", score}});
    }
    return matches;
}

Json Model::groups(const std::vector<int>& vector, const std::string& key, size_t top_k, size_t size) const {
    Json groups = Json::array();
    for (const auto& [score, id] : ranked(vector, Json::object())) {
        std::vector<Json> seen;
        for (const Json& value : values_at(entries_.at(id).metadata, key)) {
            if (!is_scalar(value) || std::find(seen.begin(), seen.end(), value) != seen.end()) {
                continue;
            }
            seen.push_back(value);
            auto group = std::find_if(groups.begin(), groups.end(),
                                      [&](const Json& one) { return one["value"] == value; });
            if (group == groups.end()) {
                if (groups.size() == top_k) {
                    continue;
                }
                groups.push_back({{"value", value}, {"matches", Json::array()}});
                group = groups.end() - 1;
            }
            if ((*group)["matches"].size() < size) {
                (*group)["matches"].push_back({{"id", json_of(id)}, {"score", score}});
            }
        }
    }
    return groups;
}

Json Model::facet(const std::string& key, const Json& filter, size_t limit) const {
    std::map<std::string, size_t> counts;
    for (const Id& id : matching(filter)) {
        std::set<std::string> values;
        for (const Json& value : values_at(entries_.at(id).metadata, key)) {
            if (value.is_string()) {
                values.insert(value.get<std::string>());
            }
        }
        for (const std::string& value : values) {
            ++counts[value];
        }
    }
    std::vector<std::pair<std::string, size_t>> ranked(counts.begin(), counts.end());
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    Json facets = Json::array();
    for (size_t i = 0; i < std::min(limit, ranked.size()); ++i) {
        facets.push_back({{"value", ranked[i].first}, {"count", ranked[i].second}});
    }
    return {{"facets", facets}, {"distinct", counts.size()}};
}

}  // namespace akidb::modelcheck
