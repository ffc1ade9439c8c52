// Documents: the documents that the kill test writes. They come in groups that are always written and deleted
// as a whole; every document carries the stamp of the write that made it, and its vector follows from group,
// member and stamp, so a reader can tell which write it sees and whether the vector belongs to it. Ids are
// integers in even groups and strings in odd ones. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace akidb::crash {

using Json = nlohmann::json;

inline constexpr const char* kCollection = "killed";
inline constexpr size_t kGroups = 120;
inline constexpr size_t kDimension = 64;

struct Place {
    size_t group = 0;
    size_t member = 0;
};

/// 1, 3, 8 or 40.
size_t members_of(size_t group);
size_t documents_in_all_groups();
Json id_of(Place place);
/// Nothing for an id that the test never wrote.
std::optional<Place> place_of(const Json& id);
std::vector<float> vector_of(Place place, uint64_t stamp);
Json document_of(Place place, uint64_t stamp);
Json filter_of(const char* key, uint64_t value);

// Collections that are deleted and made anew under their names: the stamp of one is in the name of its
// metadata index, that of its documents in each of them.
inline constexpr size_t kSlotDocuments = 5;
std::string slot_path(size_t slot);
/// Of the creation.
Json slot_body(size_t slot, uint64_t stamp);
/// The body of an upsert.
Json slot_documents(uint64_t stamp);
/// Of a collection as the server describes it; nothing when it is none of these.
struct Slot {
    size_t slot = 0;
    uint64_t stamp = 0;
};
std::optional<Slot> slot_of(const Json& description);

}  // namespace akidb::crash
