#include "documents.h"

#include <random>

namespace akidb::crash {
namespace {

constexpr size_t kMembersMax = 1000;
constexpr size_t kPadding = 200;

}  // namespace

size_t members_of(size_t group) {
    constexpr size_t kSizes[] = {1, 3, 8, 40};
    return kSizes[group / 2 % 4];
}

size_t documents_in_all_groups() {
    size_t documents = 0;
    for (size_t group = 0; group < kGroups; ++group) {
        documents += members_of(group);
    }
    return documents;
}

Json id_of(Place place) {
    const size_t number = place.group * kMembersMax + place.member;
    return place.group % 2 == 0 ? Json(number) : Json("document/" + std::to_string(number));
}

std::optional<Place> place_of(const Json& id) {
    size_t number = 0;
    if (id.is_number_unsigned()) {
        number = id.get<size_t>();
    } else if (id.is_string() && id.get<std::string>().starts_with("document/")) {
        number = std::stoul(id.get<std::string>().substr(9));
    }
    const Place place{number / kMembersMax, number % kMembersMax};
    const bool is_ours =
        place.group < kGroups && place.member < members_of(place.group) && id_of(place) == id;
    return is_ours ? std::optional(place) : std::nullopt;
}

// Sixteenths: they survive JSON in few letters and without rounding.
std::vector<float> vector_of(Place place, uint64_t stamp) {
    std::minstd_rand random(static_cast<uint32_t>(stamp * 7919 + place.group * 104'729 + place.member + 1));
    std::vector<float> vector(kDimension);
    for (float& component : vector) {
        component = static_cast<float>(random() % 256) / 16 - 8;
    }
    return vector;
}

Json document_of(Place place, uint64_t stamp) {
    return {
        {"id", id_of(place)},
        {"vector", vector_of(place, stamp)},
        {"metadata", {{"group", place.group}, {"stamp", stamp}, {"padding", std::string(kPadding, 'a')}}}};
}

Json filter_of(const char* key, uint64_t value) {
    return {{"must", Json::array({{{"key", key}, {"match", {{"value", value}}}}})}};
}

std::string slot_path(size_t slot) {
    return "/api/v1/collections/slot" + std::to_string(slot);
}

Json slot_body(size_t slot, uint64_t stamp) {
    return {{"name", "slot" + std::to_string(slot)},
            {"dimension", 16},
            {"metadata_indexes", {{"stamp" + std::to_string(stamp), "integer"}}}};
}

Json slot_documents(uint64_t stamp) {
    Json documents = Json::array();
    for (size_t number = 0; number < kSlotDocuments; ++number) {
        documents.push_back({{"id", number},
                             {"vector", std::vector<float>(16, static_cast<float>(number + 1))},
                             {"metadata", {{"stamp", stamp}}}});
    }
    return {{"documents", std::move(documents)}};
}

std::optional<Slot> slot_of(const Json& description) {
    const auto name = description.at("name").get<std::string>();
    const Json& indexes = description.at("metadata_indexes");
    if (!name.starts_with("slot") || indexes.size() != 1) {
        return std::nullopt;
    }
    return Slot{std::stoul(name.substr(4)), std::stoull(indexes.begin().key().substr(5))};
}

}  // namespace akidb::crash
