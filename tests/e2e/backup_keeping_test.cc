// Backups that make themselves, and encrypted ones.
#include <atomic>
#include <chrono>
#include <cstdio>
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
    const Finished no_time =
        run({"restore", "--from", backups(), "--data", path("wrong"), "--to-time", "yesterday"});
    EXPECT_THAT(no_time.err,
                testing::AllOf(HasSubstr("--to-time"), HasSubstr("RFC 3339"), HasSubstr("latest")));
}

/// Of a collection that one backup has, and the archived log.
void expect_receipt_of_copies(const Json& receipt) {
    ASSERT_TRUE(receipt.contains("held_by")) << receipt;
    const Json& held = receipt["held_by"];
    EXPECT_FALSE(held.contains("error")) << held;
    ASSERT_EQ(held["backups"].size(), 1u) << held << ": the first backup knew no collection";
    EXPECT_GT(held["backups"][0].value("until", ""), receipt.value("completed_at", "~"));
    EXPECT_EQ(held["archived_log"], true);
    EXPECT_GE(held.value("archived_log_until", ""), held["backups"][0].value("until", "~"));
}

// The machine's data directory is lost under load; what was archived comes back, up to the last write of it.
TEST_F(BackupTest, TheLossOfTheDataDirectoryCostsAnIntervalOfWrites) {
    using Clock = std::chrono::steady_clock;
    auto server = start("data", "1048576", {"--backup.to", backups(), "--backup.archive_interval_s", "1"});
    for (int i = 0; i < 1000 && list().empty(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ASSERT_FALSE(list().empty());
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    std::vector<Clock::time_point> acknowledged;
    std::atomic<size_t> count{0};
    {
        std::jthread load([&](const std::stop_token& stop) {
            for (uint64_t id = 0; !stop.stop_requested(); ++id) {
                if (ask(*server, "PUT", "/api/v1/collections/words/documents",
                        {{"documents", Json::array({document_of(id)})}})
                        .status != 200) {
                    return;
                }
                acknowledged.push_back(Clock::now());
                ++count;
            }
        });
        ASSERT_NO_FATAL_FAILURE(await_rounds(*server, 2));
        const size_t surely = count;
        ASSERT_NO_FATAL_FAILURE(await_rounds(*server, 2));
        EXPECT_LT(metric(*server, "akidb_log_archive_lag_seconds"), 60);
        server->kill_now();
        fs::remove_all(path("data"));
        load.join();
        ASSERT_GT(surely, 0u);
        const auto killed = acknowledged.back();
        const Finished restored =
            run({"restore", "--from", backups(), "--data", path("restored"), "--to-time", "latest"});
        ASSERT_EQ(restored.exit_code, kClean) << restored.err;
        server = start("restored");
        const size_t there =
            ask(*server, "POST", "/api/v1/collections/words/count", Json::object()).body.value("count", 0U);
        EXPECT_GE(there, surely) << "of what was archived, nothing is missing";
        ASSERT_LE(there, acknowledged.size() + 1);
        for (const size_t id : {size_t{0}, there / 2, there - 1}) {
            EXPECT_EQ(ask(*server, "GET", "/api/v1/collections/words/documents/" + std::to_string(id)).status,
                      200);
        }
        const double lost_s = there >= acknowledged.size()
                                  ? 0
                                  : std::chrono::duration<double>(killed - acknowledged[there]).count();
        std::printf("RPO: %zu of %zu acknowledged writes lost, %.2f s of them\n",
                    acknowledged.size() - std::min(there, acknowledged.size()), acknowledged.size(), lost_s);
        EXPECT_LT(lost_s, 60);
    }
    // What it is now goes on as another timeline, and begins with a backup of it.
    server.reset();
    server = start("restored", "1048576", {"--backup.to", backups(), "--backup.archive_interval_s", "1"});
    for (int i = 0; i < 1000 && list().size() < 2; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ASSERT_NO_FATAL_FAILURE(await_rounds(*server, 1));
    const Finished listed = run({"backup", "list", backups(), "--json"});
    const Json points = Json::parse(listed.out, nullptr, false).value("points_in_time", Json::array());
    ASSERT_EQ(points.size(), 2u) << listed.out;
    EXPECT_NE(points[0]["timeline"], points[1]["timeline"]);
    const Finished whole = run({"backup", "verify", backups(), "--level", "2"});
    EXPECT_EQ(whole.exit_code, kClean) << whole.out << whole.err;
    const Finished late =
        run({"restore", "--from", backups(), "--data", path("late"), "--to-time", "2100-01-01T00:00:00Z"});
    EXPECT_NE(late.exit_code, kClean);
    EXPECT_THAT(late.err, HasSubstr("reaches"));
    expect_receipt_of_copies(
        ask(*server, "POST", "/api/v1/collections/words/documents/erase", {{"ids", {0}}}).body);
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

TEST_F(BackupTest, ATenantsDestroyedKeyMakesWhatAllBackupsHoldOfItUnreadable) {
    const std::string key = path("key");
    std::ofstream(key) << std::string(64, 'a') << "\n";
    fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
    const std::vector<std::string> keys{"--key-file", key, "--tenant-keys", path("keys")};
    const auto with_keys = [&](std::vector<std::string> words) {
        words.insert(words.end(), keys.begin(), keys.end());
        return run(std::move(words));
    };
    auto server = start("data", "1048576", {"--backup.key_file", key, "--backup.tenant_keys", path("keys")});
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    Model model;
    for (uint64_t id = 0; id < 2'000; ++id) {
        model[id] = id;
    }
    write(*server, "words", model);
    back_up(*server);
    const Finished before = with_keys({"restore", "--from", backups(), "--data", path("before")});
    ASSERT_EQ(before.exit_code, kClean) << before.err;
    for (const Finished& without :
         {run({"restore", "--from", backups(), "--data", path("without"), "--key-file", key}),
          run({"backup", "verify", backups(), "--key-file", key})}) {
        EXPECT_NE(without.exit_code, kClean);
        EXPECT_THAT(without.err, HasSubstr("--tenant-keys"));
    }

    const Finished destroyed = run({"tenant", "destroy-key", "default", "--url", server->rest_url()});
    ASSERT_EQ(destroyed.exit_code, kClean) << destroyed.err;
    EXPECT_THAT(destroyed.out, HasSubstr("destroyed 1 key of tenant default"));
    for (const char* level : {"1", "2", "3"}) {
        const Finished verified =
            with_keys({"backup", "verify", backups(), "--level", level, "--scratch", files_.path()});
        EXPECT_EQ(verified.exit_code, kClean) << verified.out << verified.err;
        EXPECT_THAT(verified.out, HasSubstr("unreadable: 1 collection, their tenant's key is gone"));
    }
    const Finished one =
        with_keys({"restore", "--from", backups(), "--data", path("one"), "--collection", "words"});
    EXPECT_NE(one.exit_code, kClean);
    EXPECT_THAT(one.err, testing::AllOf(HasSubstr("words"), HasSubstr("the key of its tenant is gone")));
    const Finished whole = with_keys({"restore", "--from", backups(), "--data", path("whole")});
    ASSERT_EQ(whole.exit_code, kClean) << whole.err;
    EXPECT_THAT(whole.out, HasSubstr("words is not there: the key of its tenant is gone"));
    {
        auto restored = start("whole");
        EXPECT_EQ(ask(*restored, "GET", "/api/v1/collections/words").status, 404);
    }
    back_up(*server);
    const Finished after = with_keys({"restore", "--from", backups(), "--data", path("after")});
    ASSERT_EQ(after.exit_code, kClean) << after.err;
    server = start("after");
    EXPECT_EQ(read(*server, "words"), model);
    const Finished refused = run({"tenant", "destroy-key", "default", "--url", server->rest_url()});
    EXPECT_THAT(refused.err, HasSubstr("backup.tenant_keys is not set"));
}

}  // namespace
}  // namespace akidb::e2e
