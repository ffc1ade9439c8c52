#include "model/filter_geo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/tree_for_tests.h"

namespace akidb::model {
namespace {

constexpr GeoPoint kBerlin{52.52, 13.405};
constexpr GeoPoint kParis{48.8566, 2.3522};

std::string field_at_fault(const GeoShape& shape) {
    const Result<void> result = validate(shape, "place");
    return result ? "none" : result.error().field();
}

TEST(GeoRadius, MeasuresAlongGreatCircles) {
    EXPECT_TRUE(is_within(kParis, GeoRadius{kBerlin, 878'000}));
    EXPECT_FALSE(is_within(kParis, GeoRadius{kBerlin, 877'000}));
    EXPECT_TRUE(is_within(kParis, GeoRadius{kParis, 0}));
    const double degree_m = 6'371'008.8 * std::acos(-1) / 180;
    EXPECT_TRUE(is_within({0, -179.5}, GeoRadius{{0, 179.5}, degree_m * 1.000001})) << "across the date line";
    EXPECT_FALSE(is_within({0, -179.5}, GeoRadius{{0, 179.5}, degree_m * 0.999999}));
    EXPECT_TRUE(is_within({90, 17}, GeoRadius{{90, -80}, 1e-6})) << "a pole is one point";
    EXPECT_TRUE(is_within({-90, 0}, GeoRadius{{90, 0}, 180.001 * degree_m}));
}

TEST(GeoBox, CrossesTheDateLineWhenItsLeftLiesEast) {
    const GeoBox plain{{10, -20}, {-10, 20}};
    EXPECT_TRUE(is_within({0, 0}, plain));
    EXPECT_TRUE(is_within({10, -20}, plain)) << "the border belongs to it";
    EXPECT_TRUE(is_within({-10, 20}, plain));
    EXPECT_FALSE(is_within({10.01, 0}, plain));
    EXPECT_FALSE(is_within({0, 20.01}, plain));
    const GeoBox across{{10, 170}, {-10, -170}};
    EXPECT_TRUE(is_within({0, 175}, across));
    EXPECT_TRUE(is_within({0, -175}, across));
    EXPECT_TRUE(is_within({0, 180}, across));
    EXPECT_FALSE(is_within({0, 0}, across));
    EXPECT_FALSE(is_within({0, 169.9}, across));
    EXPECT_TRUE(is_within({0, 180}, GeoBox{{10, -180}, {-10, -170}})) << "180 and -180 are one meridian";
}

TEST(GeoPolygon, HasAnOutsideHolesAndABorder) {
    // An L, with a hole in its foot, and the last point said again.
    const GeoPolygon shape{{{0, 0}, {0, 30}, {10, 30}, {10, 10}, {30, 10}, {30, 0}, {0, 0}},
                           {{{2, 22}, {2, 28}, {8, 28}, {8, 22}}}};
    EXPECT_TRUE(is_within({5, 5}, shape));
    EXPECT_TRUE(is_within({25, 5}, shape));
    EXPECT_FALSE(is_within({20, 20}, shape)) << "in the corner that the L leaves";
    EXPECT_FALSE(is_within({5, 25}, shape)) << "in the hole";
    EXPECT_TRUE(is_within({2, 25}, shape)) << "the border of a hole is not in it";
    EXPECT_TRUE(is_within({10, 20}, shape));
    EXPECT_TRUE(is_within({30, 10}, shape));
    EXPECT_FALSE(is_within({30.001, 10}, shape));
    EXPECT_FALSE(is_within({5, -0.001}, shape));
    EXPECT_EQ(point_count(shape), 11U);
    EXPECT_EQ(point_count(GeoBox{}), 0U);
}

TEST(GeoShape, IsRefusedOffTheEarth) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    constexpr double kInf = std::numeric_limits<double>::infinity();
    EXPECT_EQ(field_at_fault(GeoRadius{{90, 180}, 0}), "none");
    EXPECT_EQ(field_at_fault(GeoRadius{{90.001, 0}, 1}), "place.center.lat");
    EXPECT_EQ(field_at_fault(GeoRadius{{kNan, 0}, 1}), "place.center.lat");
    EXPECT_EQ(field_at_fault(GeoRadius{{0, -180.001}, 1}), "place.center.lon");
    EXPECT_EQ(field_at_fault(GeoRadius{{0, kInf}, 1}), "place.center.lon");
    EXPECT_EQ(field_at_fault(GeoRadius{{0, 0}, -1}), "place.radius");
    EXPECT_EQ(field_at_fault(GeoRadius{{0, 0}, kNan}), "place.radius");
    EXPECT_EQ(field_at_fault(GeoRadius{{0, 0}, kInf}), "place.radius");
    EXPECT_EQ(field_at_fault(GeoBox{{1, 0}, {1, 0}}), "none");
    EXPECT_EQ(field_at_fault(GeoBox{{0, 0}, {1, 0}}), "place.top_left.lat");
    EXPECT_EQ(field_at_fault(GeoBox{{1, 0}, {0, 181}}), "place.bottom_right.lon");
    EXPECT_EQ(field_at_fault(GeoPolygon{{{0, 0}, {0, 1}, {1, 0}}, {}}), "none");
    EXPECT_EQ(field_at_fault(GeoPolygon{{{0, 0}, {0, 1}}, {}}), "place.exterior.points");
    EXPECT_EQ(field_at_fault(GeoPolygon{{{0, 0}, {0, 1}, {0, 0}}, {}}), "place.exterior.points");
    EXPECT_EQ(field_at_fault(GeoPolygon{{{0, 0}, {0, 1}, {1, 200}}, {}}), "place.exterior.points[2].lon");
    EXPECT_EQ(field_at_fault(GeoPolygon{{{0, 0}, {0, 1}, {1, 0}}, {{}}}), "place.interiors[0].points");
}

TEST(GeoPoint, IsAnObjectOfTwoNumbersWithinRange) {
    const auto point = [](Tree::Members members) {
        return geo_point_of(MetadataView(Tree{std::move(members)}.encoded()));
    };
    EXPECT_EQ(point({{"lat", {52.52}}, {"lon", {13.405}}}), kBerlin);
    EXPECT_EQ(point({{"name", {std::string("x")}}, {"lon", {int64_t{1}}}, {"lat", {int64_t{2}}}}),
              (GeoPoint{2, 1}));
    EXPECT_EQ(point({{"lat", {52.52}}}), std::nullopt);
    EXPECT_EQ(point({{"lat", {std::string("1")}}, {"lon", {1.0}}}), std::nullopt);
    EXPECT_EQ(point({{"lat", {90.5}}, {"lon", {1.0}}}), std::nullopt);
    EXPECT_EQ(point({{"lat", {1.0}}, {"lon", {1e300}}}), std::nullopt);
}

}  // namespace
}  // namespace akidb::model
