// Chance: random parts of requests, from a seed: ids out of few, so that they meet again, metadata, filters
// and changes. Thread-compatible.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "model.h"

namespace akidb::modelcheck {

class Chance {
  public:
    static constexpr int kDimension = 16;
    static constexpr uint64_t kIds = 700;  // as many documents at most are there at once

    explicit Chance(uint64_t seed) : engine_(seed) {}

    uint64_t below(uint64_t end) { return engine_() % end; }
    bool happens(uint64_t percent) { return below(100) < percent; }

    Id id() {
        const uint64_t number = below(kIds);
        return number % 3 == 0 ? Id{true, 0, "doc " + std::to_string(number)} : Id{false, number, ""};
    }
    Json ids(uint64_t most) {
        Json list = Json::array();
        for (uint64_t i = below(most) + 1; i > 0; --i) {
            list.push_back(json_of(id()));
        }
        return list;
    }
    std::vector<int> vector() {
        std::vector<int> made(kDimension);
        for (int& component : made) {
            component = static_cast<int>(below(9)) - 4;
        }
        return made;
    }
    Json tag() { return "t" + std::to_string(below(12)); }
    Json metadata() {
        Json made = Json::object();
        if (happens(80)) {
            made["n"] = static_cast<int64_t>(below(200)) - 50;
        }
        if (happens(70)) {
            made["tag"] = happens(70) ? tag() : Json::array({tag(), tag()});
        }
        if (happens(20)) {
            made["deep"] = {{"a", below(5)}, {"b", nullptr}};
        }
        if (happens(10)) {
            made["free"] = happens(50) ? Json("text") : Json(nullptr);
        }
        return made;
    }
    Json condition() {
        const auto begin = static_cast<int64_t>(below(220)) - 60;
        switch (below(7)) {
            case 0:
                return {{"key", "n"}, {"range", {{"gte", begin}, {"lt", begin + int64_t(below(120))}}}};
            case 1:
                return {{"key", "tag"}, {"match", {{"value", tag()}}}};
            case 2:
                return {{"key", "tag"}, {"match", {{"any", {tag(), tag(), tag()}}}}};
            case 3:
                return {{"key", "tag"}, {"match", {{"except", {tag(), tag()}}}}};
            case 4:
                return {{"key", "tag"}, {"match", {{"prefix", "t1"}}}};
            case 5:
                return {{"has_id", ids(40)}};
            default:
                return {{"is_empty", {{"key", happens(50) ? "tag" : "free"}}}};
        }
    }
    Json filter(int depth = 2) {
        Json made = Json::object();
        for (const char* clause : {"must", "should", "must_not"}) {
            if (!happens(std::string_view(clause) == "must" ? 70 : 25)) {
                continue;
            }
            made[clause] = Json::array();
            for (uint64_t i = below(2) + 1; i > 0; --i) {
                made[clause].push_back(depth > 0 && happens(15) ? filter(depth - 1) : condition());
            }
        }
        if (depth < 2 && made.empty()) {
            made["must"] = Json::array({condition()});
        }
        return made;
    }

    Json expires_at() { return happens(30) ? Model::kPast : Model::kFuture; }
    Json change() {
        Json made = Json::object();
        if (happens(30)) {
            made["set"] = metadata();
            return made;
        }
        if (happens(60)) {
            made["merge"] = metadata();
        }
        if (made.empty() || happens(40)) {
            made["remove"] = happens(50) ? Json::array({"tag"}) : Json::array({"free", "n"});
        }
        if (happens(10)) {
            made["expires_at"] = happens(30) ? Json(nullptr) : expires_at();
        }
        return made;
    }

  private:
    std::mt19937_64 engine_;
};

}  // namespace akidb::modelcheck
