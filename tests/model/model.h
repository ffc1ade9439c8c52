// Model: a collection as anybody would write it who need not be fast: documents in a map, every question
// answered by looking at all of them. Answers are those of the server but for what no model can know
// (took_ms, cursors). Vectors hold small whole numbers, so distances are exact. Thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace akidb::modelcheck {

using Json = nlohmann::ordered_json;

/// Numbers before texts, as ids are ordered; the UUIDs between the two are not used here.
struct Id {
    bool is_text = false;
    uint64_t number = 0;
    std::string text;
    auto operator<=>(const Id&) const = default;
};
Id id_of(const Json& json);
Json json_of(const Id& id);

struct Entry {
    std::vector<int> vector;
    Json metadata;
    uint64_t version = 0;
    std::string expires_at;  // empty: never
    std::vector<int> side;   // the second vector; empty: it lacks one
};

/// Which vector a search goes by.
enum class By : uint8_t { kUnnamed, kSide };

class Model {
  public:
    static constexpr const char* kPast = "2001-01-01T00:00:00.000Z";
    static constexpr const char* kFuture = "2999-01-01T00:00:00.000Z";

    /// What has kPast expires at once. The sequence is that of the server's answer: it counts refused writes
    /// out as we do not.
    void upsert(const Json& documents, uint64_t sequence);
    /// How many changed.
    size_t update(const std::vector<Id>& ids, const Json& change, uint64_t sequence);
    size_t remove(const std::vector<Id>& ids);

    const Entry* find(const Id& id) const;
    std::vector<Id> matching(const Json& filter) const;
    std::vector<Id> all() const;
    /// Nearest first, ties by id: at most top_k as {"id","score"}.
    Json search(const std::vector<int>& vector, const Json& filter, size_t top_k, By by = By::kUnnamed) const;
    /// Groups by a field, as the server answers them.
    Json groups(const std::vector<int>& vector, const std::string& key, size_t top_k, size_t size) const;
    Json facet(const std::string& key, const Json& filter, size_t limit) const;
    size_t size() const { return entries_.size(); }

  private:
    std::vector<std::pair<float, Id>> ranked(const std::vector<int>& vector, const Json& filter,
                                             By by = By::kUnnamed) const;

    std::map<Id, Entry> entries_;
};

bool matches(const Json& filter, const Id& id, const Json& metadata);

}  // namespace akidb::modelcheck
