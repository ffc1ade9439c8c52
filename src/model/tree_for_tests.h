// Tree: metadata as a plain tree of values, for tests alone: the naive twin that the encoded form is held
// against. RandomTrees draws trees from a seed, with few keys and few values so that conditions often meet
// something. Header-only; thread-compatible.
#pragma once

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "model/filter_geo.h"
#include "model/metadata.h"

namespace akidb::model {

struct Member;

struct Tree {
    using Items = std::vector<Tree>;
    using Members = std::vector<Member>;
    std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, Items, Members> value;

    void write(MetadataWriter& writer) const;
    /// The tree is an object within the limits.
    std::string encoded() const {
        MetadataWriter writer;
        write(writer);
        return std::move(writer).finish().value();
    }
};

struct Member {
    std::string key;
    Tree value;
};

// NOLINTNEXTLINE(misc-no-recursion)
inline void Tree::write(MetadataWriter& writer) const {
    if (const auto* flag = std::get_if<bool>(&value)) {
        writer.put_bool(*flag);
    } else if (const auto* integer = std::get_if<int64_t>(&value)) {
        writer.put_int(*integer);
    } else if (const auto* natural = std::get_if<uint64_t>(&value)) {
        writer.put_uint(*natural);
    } else if (const auto* real = std::get_if<double>(&value)) {
        writer.put_double(*real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        writer.put_string(*text);
    } else if (const auto* items = std::get_if<Items>(&value)) {
        writer.begin_array();
        for (const Tree& item : *items) {
            item.write(writer);
        }
        writer.end();
    } else if (const auto* members = std::get_if<Members>(&value)) {
        writer.begin_object();
        for (const auto& [key, member] : *members) {
            writer.key(key);
            member.write(writer);
        }
        writer.end();
    } else {
        writer.put_null();
    }
}

class RandomTrees {
  public:
    explicit RandomTrees(uint32_t seed) : random_(seed) {}

    uint32_t below(uint32_t end) { return static_cast<uint32_t>(random_() % end); }

    Tree object(uint32_t depth) {
        Tree::Members members;
        for (const char* key : {"a", "b", "c"}) {
            if (below(3) != 0) {
                members.push_back({key, any(depth)});
            }
        }
        return {std::move(members)};
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Tree any(uint32_t depth) {
        const uint32_t kind = below(depth == 0 ? 6 : 10);
        if (kind < 6) {
            return scalar(kind);
        }
        if (kind < 8) {
            return below(3) == 0 ? point() : object(depth - 1);
        }
        Tree::Items items(below(4));
        for (Tree& item : items) {
            item = any(depth - 1);
        }
        return {std::move(items)};
    }

    int64_t integer() {
        constexpr int64_t kExactEnd = int64_t{1} << 53;
        const int64_t integers[] = {-1,
                                    0,
                                    1,
                                    2,
                                    kExactEnd,
                                    kExactEnd + 1,
                                    -kExactEnd,
                                    -kExactEnd - 1,
                                    kHighest - 1,
                                    kHighest,
                                    -kHighest,
                                    std::numeric_limits<int64_t>::min()};
        return integers[below(std::size(integers))];
    }
    uint64_t natural() {
        const uint64_t naturals[] = {1, uint64_t{1} << 63, (uint64_t{1} << 63) + 1,
                                     std::numeric_limits<uint64_t>::max() - 1,
                                     std::numeric_limits<uint64_t>::max()};
        return naturals[below(std::size(naturals))];
    }
    double real() {
        const double reals[] = {-1.0,   -0.5,    -0.0,    0.0,    0.5,    1.0,   1.5,
                                0x1p53, -0x1p53, -0x1p63, 0x1p63, 0x1p64, 1e300, -1e300};
        return reals[below(std::size(reals))];
    }
    std::string text() {
        const char* texts[] = {"",
                               "a",
                               "b",
                               "ab",
                               "1",
                               "true",
                               "\xc3\xa9",
                               "a b",
                               "B, A!",
                               "b a b \xc3\x89",
                               "2024-01-01T00:00:00Z"};
        return texts[below(std::size(texts))];
    }
    GeoPoint place() {
        const double lats[] = {-90, -60, -10, 0, 10, 60, 90};
        const double lons[] = {-180, -170, -60, 0, 60, 170, 180};
        return {lats[below(std::size(lats))], lons[below(std::size(lons))]};
    }

  private:
    /// Not all of them are on the earth.
    Tree point() {
        const GeoPoint at = place();
        Tree lat = below(8) == 0 ? Tree{int64_t{91}} : Tree{at.lat};
        return {Tree::Members{{"lat", std::move(lat)}, {"lon", {at.lon}}}};
    }

    static constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();

    Tree scalar(uint32_t kind) {
        switch (kind) {
            case 0:
                return {};
            case 1:
                return {below(2) == 0};
            case 2:
                return {integer()};
            case 3:
                return {natural()};
            case 4:
                return {real()};
            default:
                return {text()};
        }
    }

    std::mt19937 random_;
};

}  // namespace akidb::model
