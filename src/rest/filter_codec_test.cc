#include "rest/filter_codec.h"

#include <gtest/gtest.h>

#include "model/limits.h"
#include "rest/request_codec.h"

namespace akidb::rest {
namespace {

using ReadFilter = Result<std::shared_ptr<const model::Filter>>;

ReadFilter read(std::string body) {
    AKIDB_TRY(CountBody count, read_count_body(body, 0));
    return std::move(count.filter);
}
ReadFilter read_one(const std::string& item) {
    return read(R"({"filter":{"must":[)" + item + "]}}");
}

template <class Condition>
Condition condition(const std::string& text) {
    const ReadFilter filter = read_one(text);
    EXPECT_TRUE(filter) << text << ": " << (filter ? "" : filter.error().message());
    return filter ? std::get<Condition>((*filter)->must.at(0)) : Condition();
}

TEST(FilterCodec, ReadsTextsAndPrefixes) {
    const auto text = [](const std::string& name) {
        return condition<model::TextCondition>(R"({"match":{")" + name + R"(":"Red fox"},"key":"a.b"})");
    };
    EXPECT_EQ(text("text").key, "a.b");
    EXPECT_EQ(text("text").query.mode(), model::TextMode::kAll);
    EXPECT_EQ(text("text_any").query.mode(), model::TextMode::kAny);
    EXPECT_EQ(text("phrase").query.mode(), model::TextMode::kPhrase);
    EXPECT_EQ(text("phrase").query.words(), (std::vector<std::string>{"red", "fox"}));
    const auto prefix = condition<model::PrefixCondition>(R"({"key":"a","match":{"prefix":"ap"}})");
    EXPECT_EQ(prefix.key, "a");
    EXPECT_EQ(prefix.prefix, "ap");
}

TEST(FilterCodec, ReadsShapes) {
    const auto shape = [](const std::string& text) {
        const auto geo = condition<model::GeoCondition>(R"({"key":"at",)" + text + "}");
        EXPECT_EQ(geo.key, "at");
        return geo.shape;
    };
    const auto circle =
        std::get<model::GeoRadius>(shape(R"("geo_radius":{"radius":1000.5,"center":{"lon":13.4,"lat":52}})"));
    EXPECT_EQ(circle.center, (model::GeoPoint{52, 13.4}));
    EXPECT_EQ(circle.radius_m, 1000.5);
    const auto box = std::get<model::GeoBox>(
        shape(R"("geo_box":{"top_left":{"lat":1,"lon":170},"bottom_right":{"lat":-1,"lon":-170}})"));
    EXPECT_EQ(box.top_left, (model::GeoPoint{1, 170}));
    EXPECT_EQ(box.bottom_right, (model::GeoPoint{-1, -170}));
    const std::string ring = R"({"points":[{"lat":0,"lon":0},{"lat":0,"lon":9},{"lat":9,"lon":0}]})";
    const auto polygon = std::get<model::GeoPolygon>(
        shape(R"("geo_polygon":{"exterior":)" + ring + R"(,"interiors":[)" + ring + "," + ring + "]}"));
    ASSERT_EQ(polygon.exterior.size(), 3U);
    EXPECT_EQ(polygon.exterior[1], (model::GeoPoint{0, 9}));
    EXPECT_EQ(polygon.interiors.size(), 2U);
}

TEST(FilterCodec, ReadsConditionsOnWhatIsThere) {
    const auto count =
        condition<model::ValuesCountCondition>(R"({"key":"a","values_count":{"gt":1,"lte":5}})");
    EXPECT_EQ(count.gt, 1U);
    EXPECT_EQ(count.lte, 5U);
    EXPECT_FALSE(count.gte);
    EXPECT_EQ(condition<model::IsEmptyCondition>(R"({"is_empty":{"key":"a"}})").key, "a");
    EXPECT_EQ(condition<model::IsNullCondition>(R"({"is_null":{"key":"b"}})").key, "b");
    const auto ids =
        condition<model::HasIdCondition>(R"({"has_id":[7,"x","6BA7B810-9DAD-11D1-80B4-00C04FD430C8"]})");
    EXPECT_EQ(ids.ids.at(0), model::DocumentId(uint64_t{7}).encoded());
    EXPECT_EQ(ids.ids.at(1), model::DocumentId::from_text("x").value().encoded());
    EXPECT_EQ(model::DocumentId::decode(ids.ids.at(2)).value().to_string(),
              "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
}

TEST(FilterCodec, ReadsNestedConditionsAndMinShould) {
    const ReadFilter with_nested = read_one(
        R"({"nested":{"key":"a[]","filter":{"must":[{"has_id":[1]}],"must_not":{"is_null":{"key":"b"}}}}})");
    ASSERT_TRUE(with_nested) << with_nested.error().message();
    const auto& nested = std::get<model::NestedCondition>((*with_nested)->must.at(0));
    EXPECT_EQ(nested.key, "a[]");
    EXPECT_EQ(nested.filter->must.size(), 1U);
    EXPECT_EQ(nested.filter->must_not.size(), 1U);
    const ReadFilter filter = read(
        R"({"filter":{"min_should":{"min_count":2,"conditions":[{"has_id":[1]},{"has_id":[2]},
            {"min_should":{"conditions":{"has_id":[]},"min_count":0}}]}}})");
    ASSERT_TRUE(filter) << filter.error().message();
    ASSERT_TRUE((*filter)->min_should);
    EXPECT_EQ((*filter)->min_should->min_count, 2U);
    EXPECT_EQ((*filter)->min_should->conditions.size(), 3U);
    EXPECT_FALSE((*filter)->is_empty());
}

TEST(FilterCodec, RefusesBadConditionsAndNamesThePlace) {
    const std::string point = R"({"lat":1,"lon":1})";
    const std::vector<std::pair<std::string, std::string>> bad{
        {R"({"match":{"value":1}})", ""},
        {R"({"has_id":[1],"key":"a"})", ""},
        {R"({"has_id":[1],"is_null":{"key":"a"}})", ""},
        {R"({"has_id":[1],"must":[]})", ""},
        {R"({"key":"a","match":{"value":1},"range":{"gt":1}})", ""},
        {R"({"key":"a","match":{"value":1},"has_id":[1]})", ""},
        {R"({"key":"a","must":[]})", ""},
        {R"({"key":"a","match":{"text":"?!"}})", ".match.text"},
        {R"({"key":"a","match":{"text":7}})", ".match.text"},
        {R"({"key":"a","match":{"prefix":null}})", ".match.prefix"},
        {R"({"key":"a","match":{"prefix":"a","text":"a"}})", ".match"},
        {R"({"key":"a","geo_radius":{"center":)" + point + "}}", ".geo_radius"},
        {R"({"key":"a","geo_radius":{"center":)" + point + R"(,"radius":-1}})", ".geo_radius.radius"},
        {R"({"key":"a","geo_radius":{"center":{"lat":1},"radius":1}})", ".geo_radius.center"},
        {R"({"key":"a","geo_box":{"top_left":{"lat":91,"lon":0},"bottom_right":)" + point + "}}",
         ".geo_box.top_left.lat"},
        {R"({"key":"a","geo_box":{"top_left":{"lat":0,"lon":0},"bottom_right":)" + point + "}}",
         ".geo_box.top_left.lat"},
        {R"({"key":"a","geo_polygon":{"interiors":[]}})", ".geo_polygon"},
        {R"({"key":"a","geo_polygon":{"exterior":{"points":[)" + point + "]}}}",
         ".geo_polygon.exterior.points"},
        {R"({"key":"a","geo_polygon":{"exterior":{"points":[{"lat":"1","lon":1}]}}})",
         ".geo_polygon.exterior.points[0].lat"},
        {R"({"key":"a","values_count":{}})", ".values_count"},
        {R"({"key":"a","values_count":{"gt":-1}})", ".values_count.gt"},
        {R"({"key":"a","values_count":{"gt":1.5}})", ".values_count.gt"},
        {R"({"is_empty":{}})", ".is_empty"},
        {R"({"is_empty":{"key":""}})", ".is_empty.key"},
        {R"({"is_null":"a"})", ".is_null"},
        {R"({"has_id":7})", ".has_id"},
        {R"({"has_id":[1,-1]})", ".has_id[1]"},
        {R"({"has_id":[""]})", ".has_id[0]"},
        {R"({"nested":{"key":"a"}})", ".nested"},
        {R"({"nested":{"filter":{}}})", ".nested"},
        {R"({"nested":{"key":"a","filter":{"key":"b"}}})", ".nested.filter.key"},
        {R"({"min_should":{"conditions":[]}})", ".min_should"},
        {R"({"min_should":{"min_count":1}})", ".min_should"},
        {R"({"min_should":{"conditions":[],"min_count":513}})", ".min_should.min_count"},
    };
    for (const auto& [text, field] : bad) {
        const ReadFilter filter = read_one(text);
        ASSERT_FALSE(filter) << text;
        EXPECT_EQ(filter.error().code(), Code::kInvalidArgument) << text;
        EXPECT_EQ(filter.error().field(), "filter.must[0]" + field)
            << text << ": " << filter.error().message();
        EXPECT_FALSE(filter.error().allowed().empty()) << text;
    }
}

// Every cut, lost or foreign byte of a filter of all kinds is read or refused; the sanitizers look on.
TEST(FilterCodec, SurvivesDamageAnywhere) {
    const std::string whole =
        R"({"filter":{"must":[{"key":"a[].b","match":{"text":"Ça va é"}},{"key":"a","match":{"phrase":"x y"}},)"
        R"({"key":"a","match":{"any":[1,-2.5e3,"x",true]}},{"key":"a","range":{"gt":1,"lte":2}},)"
        R"({"key":"a","range":{"gt":"2026-01-01T00:00:00Z"}},{"key":"a","values_count":{"gte":0}},)"
        R"({"key":"a","geo_radius":{"center":{"lat":1,"lon":-1},"radius":5}},)"
        R"({"key":"a","geo_box":{"top_left":{"lat":2,"lon":3},"bottom_right":{"lat":1,"lon":4}}},)"
        R"({"key":"a","geo_polygon":{"exterior":{"points":[{"lat":1,"lon":2},{"lat":3,"lon":4},{"lat":5,"lon":7}]},)"
        R"("interiors":[]}}],"should":{"is_null":{"key":"a"}},"must_not":[{"is_empty":{"key":"a"}}],)"
        R"("min_should":{"conditions":[{"has_id":[1,"x"]},{"nested":{"key":"a","filter":{"must":[]}}}],"min_count":1}}})";
    ASSERT_TRUE(read(whole));
    size_t refused = 0;
    for (size_t i = 0; i < whole.size(); ++i) {
        refused += read(whole.substr(0, i)) ? 0 : 1;
        refused += read(whole.substr(0, i) + whole.substr(i + 1)) ? 0 : 1;
        for (const char byte : {'"', '{', ']', ',', '9', '-', '\\', '\0', '\xff'}) {
            std::string damaged = whole;
            damaged[i] = byte;
            refused += read(std::move(damaged)) ? 0 : 1;
        }
    }
    EXPECT_GT(refused, whole.size() * 8);
}

TEST(FilterCodec, BoundsListsAndPoints) {
    const auto times = [](const std::string& text, size_t count) {
        std::string all;
        for (size_t i = 0; i < count; ++i) {
            all.append(i == 0 ? "" : ",").append(text);
        }
        return all;
    };
    const auto is_read = [](const std::string& text) { return read_one(text).has_value(); };
    const auto ids = [&](size_t count) { return R"({"has_id":[)" + times("1", count) + "]}"; };
    EXPECT_TRUE(is_read(ids(model::kFilterListItemsMax)));
    EXPECT_FALSE(is_read(ids(model::kFilterListItemsMax + 1)));
    // The first point and the last one differ.
    const auto polygon = [&](size_t count) {
        return R"({"key":"a","geo_polygon":{"exterior":{"points":[)" +
               times(R"({"lat":1,"lon":1})", count - 1) + R"(,{"lat":2,"lon":2}]}}})";
    };
    EXPECT_TRUE(is_read(polygon(model::kFilterPolygonPointsMax - 1)));
    EXPECT_TRUE(is_read(polygon(model::kFilterPolygonPointsMax)));
    EXPECT_FALSE(is_read(polygon(model::kFilterPolygonPointsMax + 1)));
    EXPECT_TRUE(is_read(polygon(5'000) + "," + polygon(5'000)));
    EXPECT_FALSE(is_read(polygon(5'000) + "," + polygon(5'001)));
    const auto nested = [](size_t depth) {
        std::string text;
        for (size_t i = 0; i < depth; ++i) {
            text += R"({"nested":{"key":"a","filter":{"must":)";
        }
        text += R"({"has_id":[1]})";
        for (size_t i = 0; i < depth; ++i) {
            text += "}}}";
        }
        return text;
    };
    EXPECT_TRUE(is_read(nested(15)));
    EXPECT_FALSE(is_read(nested(model::kFilterDepthMax)));
    EXPECT_FALSE(is_read(nested(50'000)));
}

}  // namespace
}  // namespace akidb::rest
