// inspect over whole files, over every kind of damage, and over bytes that nobody wrote.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "offline/collection_for_tests.h"
#include "offline/verbs.h"
#include "storage/segment_container.h"

namespace akidb::offline {
namespace {

const std::string kGoldenV1 = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/v1";
const std::string kGoldenV4 = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/v4";

struct Seen {
    ExitCode code;
    std::string text;
    nlohmann::json json;
};

class InspectTest : public testing::Test {
  protected:
    Seen look(const std::string& kind, const std::string& path) {
        Seen seen{};
        seen.code = inspect(files_, {kind, path, false}, [&](std::string_view text) { seen.text += text; });
        std::string json;
        const ExitCode again =
            inspect(files_, {kind, path, true}, [&](std::string_view text) { json += text; });
        EXPECT_EQ(again, seen.code);
        seen.json = nlohmann::json::parse(json, nullptr, false);
        EXPECT_FALSE(seen.json.is_discarded()) << json;
        return seen;
    }
    std::string golden(const std::string& folder, const std::string& part) {
        for (const std::string& name : storage::names_in(folder)) {
            if (name.find(part) != std::string::npos) {
                return folder + "/" + name;
            }
        }
        return {};
    }
    std::string damaged_copy(const std::string& path, uint64_t offset) {
        const std::string copy = directory_ / "copy";
        storage::write_bytes(copy, storage::with_flipped_bit(storage::read_bytes(path), offset * 8));
        return copy;
    }

    storage::FaultyFileSystem files_;
    storage::TempDirectory directory_;
};

TEST_F(InspectTest, TellsWhatIsInTheGoldenFiles) {
    const Seen log = look("log", golden(kGoldenV1 + "/log", ".log"));
    EXPECT_EQ(log.code, ExitCode::kClean);
    EXPECT_EQ(log.json["records"], 3);
    EXPECT_EQ(log.json["spans"][0]["records"][1]["items"], 2);
    EXPECT_EQ(log.json["spans"][1]["offset"], 448);
    EXPECT_TRUE(log.json["clean_stop"]);
    EXPECT_EQ(look("wal", golden(kGoldenV1 + "/log", ".log")).text, log.text);
    const Seen manifest = look("manifest", golden(kGoldenV1, "MANIFEST"));
    EXPECT_EQ(manifest.code, ExitCode::kClean);
    EXPECT_EQ(manifest.json["rows"][0]["row_count"], 3);
    const Seen rows = look("segment", golden(kGoldenV1 + "/seg", ".rows"));
    EXPECT_EQ(rows.code, ExitCode::kClean);
    EXPECT_EQ(rows.json["sections"].size(), 6u);
    EXPECT_EQ(look("segment", golden(kGoldenV1 + "/seg", ".dead")).json["holds"], "dead");
    const Seen all = look("", kGoldenV1);
    EXPECT_EQ(all.code, ExitCode::kClean);
    EXPECT_EQ(all.json["rows"], 3);
    EXPECT_EQ(all.json["dead_rows"], 1);
}

TEST_F(InspectTest, NamesTheStorageOfVectors) {
    for (const std::string storage : {"f16", "int8"}) {
        const std::string made = kGoldenV4 + "/" + storage;
        const Seen all = look("", made);
        EXPECT_EQ(all.code, ExitCode::kClean) << all.text;
        EXPECT_EQ(all.json["storage"], storage);
        EXPECT_NE(all.text.find(storage), std::string::npos);
        EXPECT_EQ(look("manifest", golden(made, "MANIFEST")).json["storage"], storage);
        const Seen rows = look("segment", golden(made + "/seg", ".rows"));
        EXPECT_EQ(rows.json["storage"], storage);
        EXPECT_EQ(rows.json["format"], 3);
    }
    EXPECT_EQ(look("segment", golden(kGoldenV1 + "/seg", ".rows")).json["storage"], "f32");
}

TEST_F(InspectTest, NamesTheOffsetOfDamage) {
    const Seen rows = look("segment", damaged_copy(golden(kGoldenV1 + "/seg", ".rows"), 0x1010));
    EXPECT_EQ(rows.code, ExitCode::kIo);
    EXPECT_NE(rows.text.find("damaged at offset 4096"), std::string::npos) << rows.text;
    const Seen hole = look("log", damaged_copy(golden(kGoldenV1 + "/log", ".log"), 100));
    EXPECT_EQ(hole.code, ExitCode::kIo);
    EXPECT_NE(hole.text.find("damaged at offset 64"), std::string::npos) << hole.text;
    const Seen torn = look("log", damaged_copy(golden(kGoldenV1 + "/log", ".log"), 520));
    EXPECT_EQ(torn.code, ExitCode::kClean) << "a torn tail is no damage";
    EXPECT_NE(torn.text.find("torn tail"), std::string::npos) << torn.text;
    const Seen manifest = look("manifest", damaged_copy(golden(kGoldenV1, "MANIFEST"), 40));
    EXPECT_EQ(manifest.code, ExitCode::kIo);
    EXPECT_NE(manifest.text.find("offset 0"), std::string::npos) << manifest.text;
    EXPECT_EQ(look("", directory_.path()).code, ExitCode::kIo);
    EXPECT_EQ(look("table", kGoldenV1).code, ExitCode::kUsage);
}

TEST_F(InspectTest, FindsEveryKindOfDamageInACollection) {
    for (const char* part : {"00.rows", ".dead", ".graph", "MANIFEST", ".log"}) {
        CollectionOnDisk made;
        EXPECT_EQ(look("", made.directory).code, ExitCode::kClean);
        const bool is_log = std::string_view(part) == ".log";
        const std::string folder = is_log                                 ? made.log
                                   : std::string_view(part) == "MANIFEST" ? made.directory
                                                                          : made.seg;
        const std::string path = is_log || folder == made.directory
                                     ? golden(folder, part)
                                     : golden(folder, part + (part[0] == '0' ? 2 : 0));
        CollectionOnDisk::flip(path, folder == made.seg ? storage::kSectionAlignment + 8 : 120);
        const Seen seen = look("", made.directory);
        EXPECT_EQ(seen.code, ExitCode::kIo) << part;
        EXPECT_NE(seen.text.find("damaged: " + path + " at offset"), std::string::npos) << seen.text;
    }
}

TEST_F(InspectTest, SurvivesBytesThatNobodyWrote) {
    std::mt19937_64 random(20'240'917);
    const std::string copy = directory_ / "copy";
    const std::pair<std::string, std::string> kFiles[] = {{"log", golden(kGoldenV1 + "/log", ".log")},
                                                          {"manifest", golden(kGoldenV1, "MANIFEST")},
                                                          {"segment", golden(kGoldenV1 + "/seg", ".dead")},
                                                          {"segment", golden(kGoldenV1 + "/seg", ".rows")}};
    for (const auto& [kind, path] : kFiles) {
        const std::string whole = storage::read_bytes(path);
        for (int round = 0; round < 300; ++round) {
            std::string bytes =
                whole.substr(0, round % 3 == 0 ? random() % (whole.size() + 1) : whole.size());
            for (uint64_t i = 0; i < 1 + random() % 8 && !bytes.empty(); ++i) {
                // Lengths and counts lie in the first and the last bytes.
                const uint64_t at = random() % std::min<uint64_t>(bytes.size(), 256);
                bytes[random() % 2 == 0 ? at : bytes.size() - 1 - at] = static_cast<char>(random());
            }
            storage::write_bytes(copy, bytes);
            for (const std::string& as : {kind, std::string("log")}) {
                const Seen seen = look(as, copy);
                EXPECT_TRUE(seen.code == ExitCode::kClean || seen.code == ExitCode::kIo);
            }
        }
    }
}

}  // namespace
}  // namespace akidb::offline
