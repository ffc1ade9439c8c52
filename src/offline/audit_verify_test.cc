// The verb over the golden log, whole and tampered with; what all can be found is tested in src/access.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "offline/verbs.h"
#include "storage/files_for_tests.h"

namespace akidb::offline {
namespace {

const std::string kGolden = std::string(AKIDB_SOURCE_DIR) + "/tests/golden/audit";

class AuditVerifyTest : public testing::Test {
  protected:
    AuditVerifyTest() {
        std::filesystem::copy(kGolden, directory_.path(), std::filesystem::copy_options::recursive);
    }

    ExitCode verify(const std::string& checkpoints = {}) {
        AuditVerifyRequest request{directory_.path(), directory_ / "public.key", checkpoints, false};
        text_.clear();
        const ExitCode code = verify_audit(files_, request, [&](std::string_view text) { text_ += text; });
        request.json = true;
        std::string json;
        EXPECT_EQ(verify_audit(files_, request, [&](std::string_view text) { json += text; }), code);
        json_ = nlohmann::json::parse(json, nullptr, false);
        return code;
    }

    storage::FaultyFileSystem files_;
    storage::TempDirectory directory_;
    std::string text_;
    nlohmann::json json_;
};

TEST_F(AuditVerifyTest, SaysThatAWholeLogIsWhole) {
    EXPECT_EQ(verify(), ExitCode::kClean);
    EXPECT_NE(text_.find("entries 1 to 3, signed up to 3"), std::string::npos) << text_;
    EXPECT_TRUE(text_.ends_with("whole\n")) << text_;
    EXPECT_EQ(json_.at("whole"), true);
    EXPECT_EQ(json_.at("last"), 3);
    EXPECT_EQ(verify(directory_ / "checkpoints.txt"), ExitCode::kClean);
}

TEST_F(AuditVerifyTest, TellsWhatWasDone) {
    const std::string path = directory_ / "00000000000000000001.audit";
    std::string bytes = storage::read_bytes(path);
    const std::string whole = bytes;
    bytes.replace(bytes.find("user:ada"), 8, "user:bob");
    storage::write_bytes(path, bytes);
    EXPECT_EQ(verify(), ExitCode::kIo);
    EXPECT_NE(text_.find("FAULT  00000000000000000001.audit: at byte"), std::string::npos) << text_;
    EXPECT_EQ(json_.at("whole"), false);
    storage::write_bytes(path, whole.substr(0, whole.find("{\"seq\":2")));
    EXPECT_EQ(verify(), ExitCode::kClean) << "nothing inside tells that the end is gone";
    EXPECT_EQ(verify(directory_ / "checkpoints.txt"), ExitCode::kIo);
    EXPECT_NE(text_.find("cut off: the checkpoint kept elsewhere has entry 3"), std::string::npos) << text_;
}

TEST_F(AuditVerifyTest, NamesWhatItCannotUse) {
    storage::write_bytes(directory_ / "public.key", "not a key\n");
    EXPECT_EQ(verify(), ExitCode::kUsage);
    std::filesystem::remove(directory_ / "public.key");
    EXPECT_EQ(verify(), ExitCode::kIo);
}

}  // namespace
}  // namespace akidb::offline
