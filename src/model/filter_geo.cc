#include "model/filter_geo.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

namespace akidb::model {
namespace {

constexpr double kEarthRadiusM = 6'371'008.8;  // mean of the axes of WGS 84
constexpr double kLatMax = 90;
constexpr double kLonMax = 180;
constexpr size_t kRingPointsMin = 3;

bool is_on_earth(double lat, double lon) {
    return std::abs(lat) <= kLatMax && std::abs(lon) <= kLonMax;  // false for NaN
}

double distance_m(const GeoPoint& a, const GeoPoint& b) {
    constexpr double kRadians = std::numbers::pi / 180;
    const double sine_lat = std::sin((b.lat - a.lat) * kRadians / 2);
    const double sine_lon = std::sin((b.lon - a.lon) * kRadians / 2);
    const double chord =
        sine_lat * sine_lat + std::cos(a.lat * kRadians) * std::cos(b.lat * kRadians) * sine_lon * sine_lon;
    return 2 * kEarthRadiusM * std::asin(std::min(1.0, std::sqrt(chord)));
}

bool is_within_lon(double lon, const GeoBox& box) {
    const double west = box.top_left.lon;
    const double east = box.bottom_right.lon;
    return west <= east ? lon >= west && lon <= east : lon >= west || lon <= east;
}

bool is_in(const GeoPoint& point, const GeoRadius& circle) {
    return distance_m(circle.center, point) <= circle.radius_m;
}

bool is_in(const GeoPoint& point, const GeoBox& box) {
    return point.lat <= box.top_left.lat && point.lat >= box.bottom_right.lat &&
           (is_within_lon(point.lon, box) ||
            (std::abs(point.lon) == kLonMax && is_within_lon(-point.lon, box)));
}

enum class Place : uint8_t { kOutside, kInside, kBorder };

/// By the crossings of a ray along the point's latitude.
Place place_of(const GeoPoint& point, const GeoPolygon::Ring& ring) {
    bool is_inside = false;
    for (size_t i = 0, before = ring.size() - 1; i < ring.size(); before = i++) {
        const GeoPoint& a = ring[before];
        const GeoPoint& b = ring[i];
        // Of which side of the line from a to b; exact for corners and for lines along a latitude or
        // longitude.
        const double side = (b.lon - a.lon) * (point.lat - a.lat) - (b.lat - a.lat) * (point.lon - a.lon);
        const auto [south, north] = std::minmax(a.lat, b.lat);
        const auto [west, east] = std::minmax(a.lon, b.lon);
        if (side == 0 && point.lat >= south && point.lat <= north && point.lon >= west && point.lon <= east) {
            return Place::kBorder;
        }
        if ((a.lat > point.lat) != (b.lat > point.lat) && (side > 0) == (b.lat > a.lat)) {
            is_inside = !is_inside;
        }
    }
    return is_inside ? Place::kInside : Place::kOutside;
}

bool is_in(const GeoPoint& point, const GeoPolygon& polygon) {
    return place_of(point, polygon.exterior) != Place::kOutside &&
           std::none_of(
               polygon.interiors.begin(), polygon.interiors.end(),
               [&](const GeoPolygon::Ring& hole) { return place_of(point, hole) == Place::kInside; });
}

Result<void> check_point(const GeoPoint& point, const std::string& place) {
    if (!is_on_earth(point.lat, 0)) {
        return invalid_argument(place + ".lat", "the latitude is out of range", "-90..90 degrees");
    }
    if (!is_on_earth(0, point.lon)) {
        return invalid_argument(place + ".lon", "the longitude is out of range", "-180..180 degrees");
    }
    return {};
}

Result<void> check(const GeoRadius& circle, const std::string& place) {
    AKIDB_TRY(check_point(circle.center, place + ".center"));
    if (!std::isfinite(circle.radius_m) || circle.radius_m < 0) {
        return invalid_argument(place + ".radius", "the radius is no length", "metres, from 0 on");
    }
    return {};
}

Result<void> check(const GeoBox& box, const std::string& place) {
    AKIDB_TRY(check_point(box.top_left, place + ".top_left"));
    AKIDB_TRY(check_point(box.bottom_right, place + ".bottom_right"));
    if (box.top_left.lat < box.bottom_right.lat) {
        return invalid_argument(place + ".top_left.lat", "the top of the box lies below its bottom",
                                "at least the latitude of bottom_right");
    }
    return {};
}

Result<void> check_ring(const GeoPolygon::Ring& ring, const std::string& place) {
    const bool is_closed = ring.size() > 1 && ring.front() == ring.back();
    if (ring.size() < kRingPointsMin + (is_closed ? 1 : 0)) {
        return invalid_argument(place, "the ring has too few points",
                                "at least " + std::to_string(kRingPointsMin) + " points");
    }
    for (size_t i = 0; i < ring.size(); ++i) {
        AKIDB_TRY(check_point(ring[i], place + "[" + std::to_string(i) + "]"));
    }
    return {};
}

Result<void> check(const GeoPolygon& polygon, const std::string& place) {
    AKIDB_TRY(check_ring(polygon.exterior, place + ".exterior.points"));
    for (size_t i = 0; i < polygon.interiors.size(); ++i) {
        AKIDB_TRY(check_ring(polygon.interiors[i], place + ".interiors[" + std::to_string(i) + "].points"));
    }
    return {};
}

}  // namespace

std::optional<GeoPoint> geo_point_of(MetadataView value) {
    const std::optional<MetadataView> lat = value.member("lat");
    const std::optional<MetadataView> lon = value.member("lon");
    if (!lat || !lon || !lat->is_number() || !lon->is_number()) {
        return std::nullopt;
    }
    const GeoPoint point{lat->as_double(), lon->as_double()};
    return is_on_earth(point.lat, point.lon) ? std::optional(point) : std::nullopt;
}

bool is_within(const GeoPoint& point, const GeoShape& shape) {
    return std::visit([&](const auto& which) { return is_in(point, which); }, shape);
}

Result<void> validate(const GeoShape& shape, const std::string& place) {
    return std::visit([&](const auto& which) { return check(which, place); }, shape);
}

size_t point_count(const GeoShape& shape) {
    const auto* polygon = std::get_if<GeoPolygon>(&shape);
    if (polygon == nullptr) {
        return 0;
    }
    size_t count = polygon->exterior.size();
    for (const GeoPolygon::Ring& hole : polygon->interiors) {
        count += hole.size();
    }
    return count;
}

}  // namespace akidb::model
