// Backups that make themselves, and encrypted ones.
#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include "backup_fixture.h"

namespace akidb::e2e {
namespace {

using testing::HasSubstr;

TEST_F(BackupTest, MakesThemByItselfAndRestoresForPractice) {
    const std::vector<std::string> by_itself{"--backup.to", backups(), "--backup.schedule", "1d"};
    auto server = start("data", "1048576", by_itself);
    const auto schedule_when = [&](const char* member) {
        Json schedule;
        for (int i = 0; i < 1000 && !schedule.contains(member); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            schedule = ask(*server, "GET", "/api/v1/backups").body.value("schedule", Json::object());
        }
        return schedule;
    };
    const Json first = schedule_when("last_drill");
    EXPECT_EQ(first["to"], backups());
    EXPECT_EQ(first["times"], "1d");
    EXPECT_TRUE(first["last_drill"]["whole"].get<bool>()) << first;
    EXPECT_TRUE(first.contains("next_at") && first.contains("next_drill_at")) << first;
    ASSERT_EQ(list().size(), 1u);
    EXPECT_TRUE(list()[0]["verified_at"].is_string());
    server->kill_now();
    server = start("data", "1048576", by_itself);
    const Json again = schedule_when("last_at");
    EXPECT_EQ(again["last_at"], first["last_at"]) << "it is not due again";
    EXPECT_TRUE(again.contains("verified_at")) << again;
    EXPECT_EQ(list().size(), 1u);
    const Finished wrong = run({"check-config", "--data", path("data"), "--backup.to", path("data/inside"),
                                "--backup.schedule", "sometimes"});
    EXPECT_NE(wrong.exit_code, kClean);
    EXPECT_THAT(wrong.out + wrong.err,
                testing::AllOf(HasSubstr("backup.to"), HasSubstr("lies in the data directory"),
                               HasSubstr("backup.schedule"), HasSubstr("03:30")));
}

TEST_F(BackupTest, EncryptedOnesAreForWhoHasTheKey) {
    const auto make_key = [&](const char* name, char digit) {
        std::ofstream(path(name)) << std::string(64, digit) << "\n";
        fs::permissions(path(name), fs::perms::owner_read | fs::perms::owner_write);
        return path(name);
    };
    const std::string key = make_key("key", 'a');
    const std::string other = make_key("other", 'b');
    auto server = start("data", "67108864", {"--backup.key_file", key});
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    Model model;
    for (uint64_t id = 0; id < 6'000; ++id) {
        model[id] = id;
    }
    write(*server, "words", model);
    back_up(*server);
    const Json again = back_up(*server);
    EXPECT_LT(again["sent_bytes"].get<uint64_t>(), 1'000u) << "what is there is found without sending it";
    server.reset();
    for (const auto& entry : fs::recursive_directory_iterator(backups())) {
        if (entry.is_regular_file()) {
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string bytes{std::istreambuf_iterator<char>(file), {}};
            EXPECT_THAT(bytes, testing::StartsWith("AKIENC1")) << entry.path();
            EXPECT_EQ(bytes.find("words"), std::string::npos) << entry.path();
        }
    }
    const Finished without = run({"backup", "verify", backups()});
    EXPECT_NE(without.exit_code, kClean);
    EXPECT_THAT(without.err, testing::AllOf(HasSubstr("encrypted with the key"), HasSubstr("--key-file")));
    const Finished wrong =
        run({"restore", "--from", backups(), "--data", path("refused"), "--key-file", other});
    EXPECT_NE(wrong.exit_code, kClean);
    EXPECT_THAT(wrong.err, HasSubstr("and the key given is"));
    EXPECT_FALSE(fs::exists(path("refused")));
    const Finished whole =
        run({"backup", "verify", backups(), "--level", "3", "--scratch", files_.path(), "--key-file", key});
    EXPECT_EQ(whole.exit_code, kClean) << whole.out << whole.err;
    const Finished pruned = run({"backup", "prune", backups(), "--keep-last", "1", "--key-file", key});
    EXPECT_EQ(pruned.exit_code, kClean) << pruned.err;
    const Finished restored =
        run({"restore", "--from", backups(), "--data", path("restored"), "--key-file", key});
    ASSERT_EQ(restored.exit_code, kClean) << restored.err;
    auto opened = start("restored");
    EXPECT_EQ(read(*opened, "words"), model);
    // Without the key, or with another, nothing is written where encrypted ones lie.
    const Finished plain = run({"backup", "create", "--url", opened->rest_url(), "--to", backups()});
    EXPECT_NE(plain.exit_code, kClean);
    EXPECT_THAT(plain.err, HasSubstr("backup.key_file"));
}

}  // namespace
}  // namespace akidb::e2e
