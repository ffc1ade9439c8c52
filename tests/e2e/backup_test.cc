// Backups of a running server, restored: equal to what a model says at that point, refused by name when
// damaged, and never half there.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "backup_fixture.h"

namespace akidb::e2e {
namespace {

using testing::HasSubstr;

TEST_F(BackupTest, RestoresEqualTheModelAndTheSecondSendsLittle) {
    auto server = start("data", "67108864");
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("empty")).status, 201);
    Model model;
    for (uint64_t id = 0; id < 20'000; ++id) {
        model[id] = id % 7;
    }
    write(*server, "words", model);
    std::vector<std::pair<std::string, Model>> points;
    const Json first = back_up(*server);
    points.emplace_back(first["id"], model);
    EXPECT_EQ(first["bytes"], first["sent_bytes"]);
    Model change;
    for (uint64_t id = 0; id < 200; ++id) {
        change[id * 100] = model[id * 100] = 50;
    }
    write(*server, "words", change);
    const Json second = back_up(*server);
    points.emplace_back(second["id"], model);
    const double share = second["sent_bytes"].get<double>() / second["bytes"].get<double>() * 100;
    std::printf("a second backup after a change of 1 %% sent %.2f %% of %llu bytes\n", share,
                second["bytes"].get<unsigned long long>());
    EXPECT_LE(share, 3.0);
    EXPECT_LT(back_up(*server)["sent_bytes"].get<uint64_t>(), 1'000u) << "nothing changed";
    ASSERT_EQ(ask(*server, "DELETE", "/api/v1/collections/empty").status, 200);
    server.reset();
    ASSERT_EQ(list().size(), 3u);
    for (size_t i = 0; i < points.size(); ++i) {
        const std::string data = "restored-" + std::to_string(i);
        const Finished restored =
            run({"restore", "--from", backups(), "--backup", points[i].first, "--data", path(data)});
        ASSERT_EQ(restored.exit_code, kClean) << restored.err << restored.out;
        auto again = start(data);
        EXPECT_EQ(read(*again, "words"), points[i].second);
        EXPECT_EQ(ask(*again, "GET", "/api/v1/collections/empty").status, 200);
        // It is a server like another.
        write(*again, "words", {{1'000'000, 3}});
    }
    const Finished one = run({"restore", "--from", backups(), "--data", path("one"), "--collection", "words",
                              "--as", "phrases", "--json"});
    ASSERT_EQ(one.exit_code, kClean) << one.err;
    auto renamed = start("one");
    EXPECT_EQ(read(*renamed, "phrases"), model);
    EXPECT_EQ(ask(*renamed, "GET", "/api/v1/collections").body["collections"].size(), 1u);
}

TEST_F(BackupTest, RestoresSegmentsGraphsAndDeadRows) {
    auto server = start("data");
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    Model model;
    std::vector<std::pair<std::string, Model>> points;
    for (uint64_t round = 0; round < 4; ++round) {
        Model change;
        for (uint64_t id = round * 3'000; id < round * 3'000 + 6'000; ++id) {
            change[id] = model[id] = round;
        }
        write(*server, "words", change);
        Json ids = Json::array();
        for (uint64_t id = round * 3'000; id < round * 3'000 + 500; ++id) {
            ids.push_back(id);
            model.erase(id);
        }
        ASSERT_EQ(ask(*server, "POST", "/api/v1/collections/words/documents/delete", {{"ids", ids}}).status,
                  200);
        points.emplace_back(back_up(*server)["id"], model);
    }
    server->kill_now();
    for (size_t i = 0; i < points.size(); ++i) {
        const std::string data = "restored-" + std::to_string(i);
        const Finished restored =
            run({"restore", "--from", backups(), "--backup", points[i].first, "--data", path(data)});
        ASSERT_EQ(restored.exit_code, kClean) << restored.err << restored.out;
        auto again = start(data);
        EXPECT_EQ(read(*again, "words"), points[i].second);
    }
}

TEST_F(BackupTest, HoldsExactlyTheAcknowledgedWritesUpToItsSequence) {
    auto server = start("data");
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    std::atomic<uint64_t> acknowledged{0};
    std::atomic<bool> is_enough{false};
    std::jthread writer([&] {
        for (uint64_t id = 0; !is_enough; ++id) {
            write(*server, "words", {{id, id}});
            acknowledged = id + 1;
        }
    });
    std::vector<std::pair<uint64_t, uint64_t>> bounds;
    for (int i = 0; i < 4; ++i) {
        const uint64_t before = acknowledged;
        back_up(*server);
        bounds.emplace_back(before, acknowledged + 1);
    }
    is_enough = true;
    writer.join();
    server.reset();
    const Json backups_made = list();
    ASSERT_EQ(backups_made.size(), bounds.size());
    for (size_t i = 0; i < bounds.size(); ++i) {
        const uint64_t sequence = backups_made[i]["collections"][0]["sequence"];
        EXPECT_GE(sequence, bounds[i].first);
        EXPECT_LE(sequence, bounds[i].second);
        const std::string data = "restored-" + std::to_string(i);
        const Finished restored =
            run({"restore", "--from", backups(), "--backup", backups_made[i]["id"], "--data", path(data)});
        ASSERT_EQ(restored.exit_code, kClean) << restored.err;
        Model expected;  // each write is one document, so the sequence counts them
        for (uint64_t id = 0; id < sequence; ++id) {
            expected[id] = id;
        }
        auto again = start(data);
        EXPECT_EQ(read(*again, "words"), expected);
    }
}

TEST_F(BackupTest, DamageIsNamedAndRestoresNothing) {
    auto server = start("data");
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    Model model;
    for (uint64_t id = 0; id < 5'000; ++id) {
        model[id] = id;
    }
    write(*server, "words", model);
    back_up(*server);
    const Finished whole = run({"backup", "verify", backups(), "--level", "3", "--scratch", files_.path()});
    EXPECT_EQ(whole.exit_code, kClean) << whole.out << whole.err;
    EXPECT_TRUE(list()[0]["verified_at"].is_string());

    const fs::path blob = large_blob();
    const std::string hash = blob.filename().string();
    std::string bytes;
    {
        std::ifstream file(blob, std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(file), {});
    }
    for (const size_t at : {size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
        std::string flipped = bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x40);
        std::ofstream(blob, std::ios::binary | std::ios::trunc) << flipped;
        const Finished found = run({"backup", "verify", backups(), "--level", "2"});
        EXPECT_EQ(found.exit_code, kDamaged);
        EXPECT_THAT(found.out, HasSubstr(hash));
        const Finished refused = run({"restore", "--from", backups(), "--data", path("refused")});
        EXPECT_EQ(refused.exit_code, kDamaged);
        EXPECT_THAT(refused.out + refused.err, HasSubstr(hash));
    }
    fs::remove(blob);
    const Finished missing = run({"backup", "verify", backups()});
    EXPECT_EQ(missing.exit_code, kDamaged);
    EXPECT_THAT(missing.out, HasSubstr(hash + " is missing"));
    const Finished refused = run({"restore", "--from", backups(), "--data", path("refused")});
    EXPECT_EQ(refused.exit_code, kDamaged);
    EXPECT_THAT(refused.out + refused.err, HasSubstr(hash + " is missing"));
    for (const auto& entry : fs::directory_iterator(files_.path())) {
        EXPECT_THAT(entry.path().filename().string(), testing::Not(testing::StartsWith("refused")));
    }
    // The next backup sends it again, and heals the older one with it.
    back_up(*server);
    EXPECT_EQ(run({"backup", "verify", backups(), "--level", "2"}).exit_code, kClean);
    fs::create_directory(path("there"));
    const Finished taken = run({"restore", "--from", backups(), "--data", path("there")});
    EXPECT_NE(taken.exit_code, kClean);
    EXPECT_THAT(taken.err, HasSubstr("is there already"));
}

TEST_F(BackupTest, KilledInTheMiddleLeavesAListThatDoesNotShowIt) {
    auto server = start("data");
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    Model model;
    for (uint64_t id = 0; id < 20'000; ++id) {
        model[id] = id % 5;
    }
    write(*server, "words", model);
    const Json whole = back_up(*server);
    size_t interrupted = 0;
    for (int round = 0; round < 5; ++round) {
        Model change;
        for (uint64_t id = 0; id < 5'000; ++id) {
            change[id] = model[id] = 10 + static_cast<uint64_t>(round);
        }
        write(*server, "words", change);
        const size_t before = list().size();
        const auto begun = ask(*server, "POST", "/api/v1/backups", {{"to", backups()}});
        ASSERT_EQ(begun.status, 202) << begun.body;
        std::this_thread::sleep_for(std::chrono::milliseconds(4 * round));
        server->kill_now();
        const Json after = list();
        interrupted += after.size() == before ? 1 : 0;
        for (const Json& backup : after) {  // whatever is listed is whole
            EXPECT_EQ(
                run({"backup", "verify", backups(), "--backup", backup["id"], "--level", "2"}).exit_code,
                kClean);
        }
        server = start("data");
        EXPECT_TRUE(fs::is_empty(path("data/staging")));
    }
    EXPECT_GT(interrupted, 0u);
    EXPECT_EQ(back_up(*server)["stage"], "done") << "its own lock does not keep it out";
    const Finished pruned = run({"backup", "prune", backups(), "--keep-last", "1"});
    EXPECT_EQ(pruned.exit_code, kClean) << pruned.err;
    ASSERT_EQ(list().size(), 1u);
    server.reset();
    const Finished restored = run({"restore", "--from", backups(), "--data", path("restored")});
    ASSERT_EQ(restored.exit_code, kClean) << restored.err;
    auto again = start("restored");
    EXPECT_EQ(read(*again, "words"), model);
}

TEST_F(BackupTest, WhatRootRestoresIsWhoseItIsSaidToBe) {
    auto server = start("data");
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    write(*server, "words", {{1, 1}});
    back_up(*server);
    const Finished wrong =
        run({"restore", "--from", backups(), "--data", path("wrong"), "--owner", "nobody-of-this-name"});
    EXPECT_EQ(wrong.exit_code, 64);
    EXPECT_THAT(wrong.err, HasSubstr("--owner"));
    EXPECT_FALSE(fs::exists(path("wrong"))) << "before anything is written";
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give files away";
    }
    const auto expect_owner = [&](const std::string& data, uid_t owner) {
        for (const auto& entry : fs::recursive_directory_iterator(path(data))) {
            struct stat found {};
            ASSERT_EQ(::lstat(entry.path().c_str(), &found), 0);
            EXPECT_EQ(found.st_uid, owner) << entry.path();
        }
    };
    const Finished named =
        run({"restore", "--from", backups(), "--data", path("named"), "--owner", "12345:12346"});
    EXPECT_EQ(named.exit_code, kClean) << named.err;
    expect_owner("named", 12'345);
    const auto killed =
        run_akidb_until({"restore", "--from", backups(), "--data", path("killed"), "--owner", "12345:12346"},
                        [&] { return fs::exists(path("killed")); });
    ASSERT_TRUE(killed);
    expect_owner("killed", 12'345);  // from the moment on at which it has its name
    fs::create_directory(path("of-another"));
    ASSERT_EQ(::chown(path("of-another").c_str(), 23'456, 23'456), 0);
    const Finished below = run({"restore", "--from", backups(), "--data", path("of-another/data")});
    EXPECT_EQ(below.exit_code, kClean) << below.err;
    expect_owner("of-another", 23'456);
}

TEST_F(BackupTest, APlaceThatIsNotThereEndsWith74AndIsNamed) {
    auto server = start("data");
    const Finished failed =
        run({"backup", "create", "--url", server->rest_url(), "--to", path("no/such/parent")});
    EXPECT_EQ(failed.exit_code, kDamaged);
    EXPECT_THAT(failed.err, HasSubstr("the backup to " + path("no/such/parent") + " failed"));
    const Finished made = run({"backup", "create", "--url", server->rest_url(), "--to", backups()});
    EXPECT_EQ(made.exit_code, kClean) << made.err;
    EXPECT_THAT(made.out, HasSubstr("0 documents of 0 collections"));
    ASSERT_EQ(ask(*server, "POST", "/api/v1/collections", collection_named("words")).status, 201);
    write(*server, "words", {{1, 1}});
    const Finished one = run({"backup", "create", "--url", server->rest_url(), "--to", backups()});
    EXPECT_THAT(one.out, HasSubstr("1 document of 1 collection,"));
}

TEST_F(BackupTest, RefusesPlacesByName) {
    auto server = start("data");
    for (const std::string& to :
         {std::string(""), std::string("relative"), std::string("/"), std::string("/a/../b"),
          path("data/inside"), std::string("s3://"), std::string("s3://bucket/../x")}) {
        const JsonReply refused = ask(*server, "POST", "/api/v1/backups", {{"to", to}});
        ASSERT_EQ(refused.status, 400) << to << refused.body;
        EXPECT_EQ(refused.body["error"]["field"], "to") << to;
    }
    const JsonReply begun = ask(*server, "POST", "/api/v1/backups", {{"to", path("no/such/parent")}});
    ASSERT_EQ(begun.status, 202);
    const std::string one = "/api/v1/backups/" + begun.body["id"].get<std::string>();
    JsonReply state = ask(*server, "GET", one);
    for (int i = 0; i < 500 && state.body["stage"] == "running"; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        state = ask(*server, "GET", one);
    }
    EXPECT_EQ(state.body["stage"], "failed");
    EXPECT_THAT(state.body["error"].get<std::string>(), HasSubstr("no/such/parent"));
    EXPECT_EQ(ask(*server, "GET", "/api/v1/backups").body["backups"].size(), 1u);
    EXPECT_EQ(ask(*server, "GET", "/api/v1/backups/nothing").status, 404);
}

}  // namespace
}  // namespace akidb::e2e
