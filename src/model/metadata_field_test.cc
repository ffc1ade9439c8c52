#include "model/metadata_field.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace akidb::model {
namespace {

std::vector<MetadataField> fields(size_t count) {
    std::vector<MetadataField> made;
    for (size_t i = 0; i < count; ++i) {
        made.push_back({"field" + std::to_string(i), MetadataIndexType::kInteger});
    }
    return made;
}

TEST(MetadataField, HasANameForEachType) {
    for (const std::string_view name : kMetadataIndexTypeNames) {
        EXPECT_EQ(name_of(metadata_index_type_from(name).value()), name);
    }
    const Error unknown = metadata_index_type_from("keywrd").error();
    EXPECT_EQ(unknown.code(), Code::kInvalidArgument);
    EXPECT_EQ(unknown.allowed(), "keyword, integer, float, bool, datetime, uuid");
    EXPECT_NE(metadata_index_type_from("geo").error().message().find("not there yet"), std::string::npos);
}

TEST(MetadataField, BoundsNumberAndNames) {
    EXPECT_TRUE(validate(fields(kMetadataIndexesMax - 1)));
    EXPECT_TRUE(validate(fields(kMetadataIndexesMax)));
    EXPECT_EQ(validate(fields(kMetadataIndexesMax + 1)).error().field(), "metadata_indexes");
    std::vector<MetadataField> one = fields(1);
    for (const size_t bytes : {size_t{1}, kFilterKeyBytesMax - 1, kFilterKeyBytesMax}) {
        one[0].key.assign(bytes, 'a');
        EXPECT_TRUE(validate(one)) << bytes;
    }
    one[0].key.assign(kFilterKeyBytesMax + 1, 'a');
    EXPECT_FALSE(validate(one));
    one[0].key.clear();
    EXPECT_FALSE(validate(one));
    EXPECT_FALSE(validate({{"a", MetadataIndexType::kBool}, {"a", MetadataIndexType::kUuid}}));
}

}  // namespace
}  // namespace akidb::model
