#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "base/function_ref.h"
#include "model/limits.h"
#include "model/metadata.h"

namespace akidb::model {
namespace {

Result<std::string> written(FunctionRef<void(MetadataWriter&)> fill) {
    MetadataWriter writer;
    fill(writer);
    const bool failed = writer.failed();
    Result<std::string> encoded = std::move(writer).finish();
    if (encoded) {
        EXPECT_TRUE(validate_metadata(*encoded));
    } else {
        EXPECT_EQ(encoded.error().code(), Code::kInvalidArgument);
        EXPECT_EQ(encoded.error().field(), "metadata");
        EXPECT_FALSE(encoded.error().allowed().empty());
    }
    EXPECT_TRUE(!failed || !encoded.has_value());
    return encoded;
}

/// One object whose members are written by `fill`.
Result<std::string> written_object(FunctionRef<void(MetadataWriter&)> fill) {
    return written([&](MetadataWriter& writer) {
        writer.begin_object();
        fill(writer);
        writer.end();
    });
}

Result<std::string> nested_arrays(uint32_t depth) {
    return written_object([&](MetadataWriter& writer) {
        writer.key("a");
        for (uint32_t level = 1; level < depth; ++level) {
            writer.begin_array();
        }
        writer.put_int(1);
        for (uint32_t level = 1; level < depth; ++level) {
            writer.end();
        }
    });
}

/// The bytes of the page's hex block, with what stands behind '#' left out.
std::string example_of_the_page() {
    std::ifstream page(AKIDB_METADATA_PAGE);
    EXPECT_TRUE(page.is_open());
    std::string bytes;
    std::string line;
    bool inside = false;
    while (std::getline(page, line)) {
        if (line.starts_with("```")) {
            inside = line == "```hex";
            continue;
        }
        std::istringstream pairs(inside ? line.substr(0, line.find('#')) : std::string());
        for (std::string pair; pairs >> pair;) {
            bytes.push_back(static_cast<char>(std::stoi(pair, nullptr, 16)));
        }
    }
    return bytes;
}

TEST(MetadataWriter, WritesTheWorkedExampleByteForByte) {
    const Result<std::string> encoded = written_object([](MetadataWriter& writer) {
        writer.key("word");
        writer.put_string("king");
        writer.key("rank");
        writer.put_int(-2);
        writer.key("tags");
        writer.begin_array();
        writer.put_string("a");
        writer.put_double(0.5);
        writer.put_bool(true);
        writer.end();
        writer.key("big");
        writer.put_uint(uint64_t{1} << 63);
        writer.key("none");
        writer.put_null();
    });
    ASSERT_EQ(encoded->size(), 101U);
    EXPECT_EQ(*encoded, example_of_the_page());
}

TEST(MetadataWriter, EmptyObjectIsTheEmptyMetadata) {
    EXPECT_EQ(written_object([](MetadataWriter&) {}).value(), empty_metadata());
}

TEST(MetadataWriter, OneIntegerHasOneForm) {
    const auto of_uint = [](uint64_t value) {
        return written_object([&](MetadataWriter& writer) {
                   writer.key("n");
                   writer.put_uint(value);
               })
            .value();
    };
    const std::string highest = of_uint(std::numeric_limits<int64_t>::max());
    EXPECT_EQ(MetadataView(highest).member("n")->type(), MetadataType::kInt);
    const std::string next = of_uint(uint64_t{1} << 63);
    EXPECT_EQ(MetadataView(next).member("n")->type(), MetadataType::kUint);
    EXPECT_EQ(MetadataView(next).member("n")->as_uint(), uint64_t{1} << 63);
}

TEST(MetadataWriter, RefusesAKeyThatStandsTwiceInOneObject) {
    const Result<std::string> twice = written_object([](MetadataWriter& writer) {
        for (const std::string_view key : {"b", "a", "c", "a"}) {
            writer.key(key);
            writer.put_null();
        }
    });
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().message(), "the key \"a\" stands twice in one object");
    const Result<std::string> inner = written_object([](MetadataWriter& writer) {
        writer.key("list");
        writer.begin_array();
        writer.begin_object();
        for (int i = 0; i < 2; ++i) {
            writer.key("");
            writer.put_null();
        }
        writer.end();
        writer.end();
    });
    EXPECT_FALSE(inner);
}

TEST(MetadataWriter, TheSameKeyMayStandInDifferentObjects) {
    EXPECT_TRUE(written_object([](MetadataWriter& writer) {
        writer.key("a");
        writer.begin_object();
        writer.key("a");
        writer.put_null();
        writer.key("b");
        writer.put_null();
        writer.end();
        writer.key("b");
        writer.begin_object();
        writer.key("a");
        writer.put_null();
        writer.end();
    }));
}

TEST(MetadataWriter, KeepsTheOrderOfKeys) {
    const std::string encoded = written_object([](MetadataWriter& writer) {
                                    for (const std::string_view key : {"z", "a", "m"}) {
                                        writer.key(key);
                                        writer.put_null();
                                    }
                                }).value();
    std::string order;
    MetadataView(encoded).for_each([&](std::string_view key, MetadataView) {
        order += key;
        return true;
    });
    EXPECT_EQ(order, "zam");
}

TEST(MetadataWriter, ManyKeysOfOneObjectCostNoQuadraticTime) {
    // 60,000 keys: comparing each with each would take seconds.
    EXPECT_TRUE(written_object([](MetadataWriter& writer) {
        for (int i = 0; i < 60'000; ++i) {
            writer.key(std::to_string(i));
            writer.put_null();
        }
    }));
}

TEST(MetadataWriter, DepthEndsAtItsLimit) {
    EXPECT_TRUE(nested_arrays(1));
    EXPECT_TRUE(nested_arrays(kMetadataDepthMax - 1));
    EXPECT_TRUE(nested_arrays(kMetadataDepthMax));
    EXPECT_FALSE(nested_arrays(kMetadataDepthMax + 1));
    EXPECT_FALSE(nested_arrays(100'000));
}

TEST(MetadataWriter, SizeEndsAtItsLimit) {
    const auto of_size = [](size_t total) {
        constexpr size_t kAround = 9 + 5 + 5;  // the object, the key "s", tag and length of the string
        return written_object([&](MetadataWriter& writer) {
            writer.key("s");
            writer.put_string(std::string(total - kAround, 'x'));
        });
    };
    EXPECT_EQ(of_size(kMetadataBytesMax - 1)->size(), kMetadataBytesMax - 1);
    EXPECT_EQ(of_size(kMetadataBytesMax)->size(), kMetadataBytesMax);
    EXPECT_FALSE(of_size(kMetadataBytesMax + 1));
}

TEST(MetadataWriter, StopsGrowingOnceALimitIsBroken) {
    MetadataWriter writer;
    writer.begin_object();
    writer.key("a");
    writer.begin_array();
    size_t taken = 0;
    for (; !writer.failed(); ++taken) {
        writer.put_int(1);
    }
    EXPECT_LT(taken, kMetadataBytesMax / 9 + 2);
    writer.put_string(std::string(100, 'x'));
    writer.end();
    writer.end();
    const Result<std::string> encoded = std::move(writer).finish();
    ASSERT_FALSE(encoded);
    EXPECT_EQ(encoded.error().allowed(), "at most 1048576 bytes in binary form");
}

TEST(MetadataWriter, RefusesNumbersThatAreNotFiniteAndBrokenUtf8) {
    for (const double wrong : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
        EXPECT_FALSE(written_object([&](MetadataWriter& writer) {
            writer.key("n");
            writer.put_double(wrong);
        }));
    }
    EXPECT_FALSE(written_object([](MetadataWriter& writer) {
        writer.key("\xff");
        writer.put_null();
    }));
    EXPECT_FALSE(written_object([](MetadataWriter& writer) {
        writer.key("s");
        writer.put_string("\xed\xa0\x80");
    }));
}

TEST(MetadataWriter, RefusesARootThatIsNoObjectAndWhatIsUnfinished) {
    EXPECT_FALSE(written([](MetadataWriter&) {}));
    EXPECT_FALSE(written([](MetadataWriter& writer) { writer.put_null(); }));
    EXPECT_FALSE(written([](MetadataWriter& writer) { writer.begin_array(); }));
    EXPECT_FALSE(written([](MetadataWriter& writer) { writer.begin_object(); }));
    EXPECT_FALSE(written([](MetadataWriter& writer) { writer.end(); }));
    EXPECT_FALSE(written([](MetadataWriter& writer) { writer.key("a"); }));
    EXPECT_FALSE(written_object([](MetadataWriter& writer) { writer.put_null(); }));
    EXPECT_FALSE(written_object([](MetadataWriter& writer) { writer.key("a"); }));
    EXPECT_FALSE(written_object([](MetadataWriter& writer) { writer.end(); }));
    EXPECT_FALSE(written_object([](MetadataWriter& writer) {
        writer.key("a");
        writer.key("b");
    }));
    EXPECT_FALSE(written([](MetadataWriter& writer) {
        for (int i = 0; i < 2; ++i) {
            writer.begin_object();
            writer.end();
        }
    }));
}

TEST(MetadataWriter, KeepsTheFirstFault) {
    const Result<std::string> encoded = written_object([](MetadataWriter& writer) {
        writer.key("n");
        writer.put_double(std::nan(""));
        writer.key("\xff");
    });
    EXPECT_EQ(encoded.error().message(), "a number of the metadata is not finite");
}

}  // namespace
}  // namespace akidb::model
