// Shapes on the earth that a filter may ask for, and the points held against them. Latitude -90..90,
// longitude -180..180, in degrees. Distances go along great circles of a sphere with the earth's mean radius
// (haversine; up to 0.5 % beside the ellipsoid). Borders belong to their shape, and 180 and -180 are one
// meridian. Pure values; all functions are thread-safe and allocate nothing.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/metadata.h"

namespace akidb::model {

struct GeoPoint {
    double lat = 0;
    double lon = 0;
    bool operator==(const GeoPoint&) const = default;
};

struct GeoRadius {
    GeoPoint center;
    double radius_m = 0;
};

/// From top_left eastwards to bottom_right: across the date line when the left edge lies east of the right.
struct GeoBox {
    GeoPoint top_left;
    GeoPoint bottom_right;
};

/// Within the exterior and not inside a hole. Sides are straight on the plane of latitude and longitude, as
/// in GeoJSON: a polygon across the date line is cut in two there. The last point may repeat the first.
struct GeoPolygon {
    using Ring = std::vector<GeoPoint>;
    Ring exterior;
    std::vector<Ring> interiors;
};

using GeoShape = std::variant<GeoRadius, GeoBox, GeoPolygon>;

/// The point that an object {"lat", "lon"} of two numbers within range is; nothing for any other value.
std::optional<GeoPoint> geo_point_of(MetadataView value);
bool is_within(const GeoPoint& point, const GeoShape& shape);

/// Coordinates, radius, corners the right way up, rings of three points; `place` is the field of the shape
/// ("filter.must[0].geo_box").
Result<void> validate(const GeoShape& shape, const std::string& place);
size_t point_count(const GeoShape& shape);

}  // namespace akidb::model
