// The verbs that are clients of a server: import (both formats, resumed after the importer or the server was
// killed), collection and search, as a person at a shell meets them.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "json_requests.h"

namespace akidb::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr size_t kManyRows = 20'000;

void put_u32(std::string& out, uint32_t value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof(value));  // the tests run on little-endian only
}

template <class Number>
std::string bytes_of_rows(size_t rows) {
    std::string bytes;
    for (size_t row = 0; row < rows; ++row) {
        for (const float component : vector_of(row)) {
            const auto number = static_cast<Number>(component);
            bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
        }
    }
    return bytes;
}

class CommandsTest : public testing::Test {
  protected:
    void SetUp() override { start({}); }

    void start(std::vector<std::string> flags) {
        flags.insert(flags.end(), {"--drain.min_ms", "0"});
        Result<std::unique_ptr<ServerProcess>> started =
            ServerProcess::start({.data_directory = path("data"), .flags = std::move(flags)});
        ASSERT_TRUE(started.has_value()) << started.error().message();
        server_ = std::move(*started);
        ASSERT_TRUE(server_->wait_until_ready().has_value());
        url_ = server_->rest_url();
    }

    std::string path(const std::string& name) const { return files_.path() + "/" + name; }

    Finished run(std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--url", url_});
        Result<Finished> finished = run_akidb(arguments);
        EXPECT_TRUE(finished.has_value()) << finished.error().message();
        return finished ? *finished : Finished{};
    }

    static std::string contents_of(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    void write(const std::string& name, const std::string& bytes) const {
        std::ofstream(path(name), std::ios::binary) << bytes;
    }

    std::string write_fbin(size_t rows) const {
        std::string bytes;
        put_u32(bytes, static_cast<uint32_t>(rows));
        put_u32(bytes, kDimension);
        write("rows.fbin", bytes + bytes_of_rows<float>(rows));
        return path("rows.fbin");
    }

    std::string write_npy(size_t rows) const {
        std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + std::to_string(rows) +
                             ", " + std::to_string(kDimension) + "), }";
        header.append(63 - (10 + header.size()) % 64, ' ').append("\n");
        std::string bytes("\x93NUMPY\x01\x00", 8);
        bytes += static_cast<char>(header.size() & 0xff);
        bytes += static_cast<char>(header.size() >> 8);
        write("rows.npy", bytes + header + bytes_of_rows<double>(rows));
        return path("rows.npy");
    }

    std::string write_metadata(size_t rows) const {
        std::string lines;
        for (size_t row = 0; row < rows; ++row) {
            lines +=
                R"({"word":"w)" + std::to_string(row) + R"(","parity":)" + std::to_string(row % 2) + "}\n";
        }
        write("rows.jsonl", lines);
        return path("rows.jsonl");
    }

    std::vector<std::string> import_many() const {
        return {"import",     "--collection",
                "numbers",    "--create",
                "--metric",   "l2",
                "--vectors",  write_fbin(kManyRows),
                "--metadata", write_metadata(kManyRows),
                "--state",    path("state"),
                "--batch",    "50",
                "--resume",   "--url",
                url_};
    }

    uint64_t count() const {
        const JsonReply reply = ask(*server_, "POST", "/api/v1/collections/numbers/count", Json::object());
        return reply.status == 200 ? reply.body["count"].get<uint64_t>() : 0;
    }

    bool reaches(uint64_t documents) const {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (count() < documents) {
            if (std::chrono::steady_clock::now() > end) {
                return false;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        return true;
    }

    /// Every row once, each with its own vector and metadata.
    void expect_all_rows() {
        EXPECT_EQ(count(), kManyRows);
        // No batch was applied twice, for that would have made rows anew.
        EXPECT_EQ(ask(*server_, "GET", "/api/v1/collections/numbers/stats").body["rows"], kManyRows);
        for (const size_t row : {size_t{0}, kManyRows / 3, kManyRows - 1}) {
            const JsonReply reply =
                ask(*server_, "GET", "/api/v1/collections/numbers/documents/" + std::to_string(row));
            EXPECT_EQ(reply.body["vector"], Json(vector_of(row)));
            EXPECT_EQ(reply.body["metadata"]["word"], "w" + std::to_string(row));
        }
        EXPECT_FALSE(std::filesystem::exists(path("state")));
    }

    TemporaryDirectory files_;
    std::unique_ptr<ServerProcess> server_;
    std::string url_;
};

TEST_F(CommandsTest, ImportsFbinWithMetadataAndMakesCollection) {
    const std::vector<std::string> import{
        "import",     "--collection",       "numbers", "--vectors",  write_fbin(1000), "--metric", "l2",
        "--metadata", write_metadata(1000), "--state", path("state")};
    const Finished refused = run(import);
    EXPECT_EQ(refused.exit_code, kUsage);
    EXPECT_THAT(refused.err, HasSubstr("--create"));
    std::vector<std::string> creating = import;
    creating.push_back("--create");
    const Finished ended = run(creating);
    EXPECT_EQ(ended.exit_code, kClean) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("imported 1000 documents into numbers"));
    EXPECT_EQ(count(), 1000U);
    const JsonReply document = ask(*server_, "GET", "/api/v1/collections/numbers/documents/999");
    EXPECT_EQ(document.body["vector"], Json(vector_of(999)));
    EXPECT_EQ(document.body["metadata"], Json({{"word", "w999"}, {"parity", 1}}));
    EXPECT_EQ(run(creating).exit_code, kClean);
    EXPECT_EQ(count(), 1000U) << "sent twice, stored once";
    for (const auto& [flag, value] :
         std::vector<std::pair<std::string, std::string>>{{"--metric", "cosine"}, {"--storage", "f16"}}) {
        std::vector<std::string> other{"import",       "--collection", "numbers",     "--create", "--vectors",
                                       write_fbin(10), "--state",      path("state"), flag,       value};
        const Finished differs = run(other);
        EXPECT_EQ(differs.exit_code, kUsage) << flag;
        EXPECT_THAT(differs.err,
                    AllOf(HasSubstr(flag), HasSubstr("numbers is there already"), HasSubstr(value)));
    }
}

TEST_F(CommandsTest, ImportsNpyWithIdsFromMetadata) {
    const Finished ended =
        run({"import", "--collection", "numbers", "--create", "--metric", "l2", "--vectors", write_npy(300),
             "--metadata", write_metadata(300), "--ids-from", "word", "--state", path("state")});
    EXPECT_EQ(ended.exit_code, kClean) << ended.err;
    EXPECT_EQ(count(), 300U);
    const JsonReply document = ask(*server_, "GET", "/api/v1/collections/numbers/documents/w299");
    EXPECT_EQ(document.body["vector"], Json(vector_of(299)));
}

TEST_F(CommandsTest, RefusesFilesThatDoNotFit) {
    const std::string vectors = write_fbin(10);
    const auto import = [&](const std::string& rows, const std::string& metadata) {
        return run({"import", "--collection", "numbers", "--create", "--vectors", rows, "--metadata",
                    metadata, "--state", path("state")});
    };
    const Finished short_metadata = import(vectors, write_metadata(9));
    EXPECT_EQ(short_metadata.exit_code, kUsage);
    EXPECT_THAT(short_metadata.err, AllOf(HasSubstr("9 lines"), HasSubstr("10")));
    write("broken.jsonl", "{\"a\":1}\n{\"a\":\n" + std::string("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n"));
    const Finished broken = import(vectors, path("broken.jsonl"));
    EXPECT_EQ(broken.exit_code, kUsage);
    EXPECT_THAT(broken.err, HasSubstr("broken.jsonl:2"));
    EXPECT_EQ(import(path("none.fbin"), write_metadata(10)).exit_code, kUsage);
    std::filesystem::resize_file(vectors, 100);
    EXPECT_NE(import(vectors, write_metadata(10)).exit_code, kClean);
    EXPECT_EQ(count(), 0U);
}

TEST_F(CommandsTest, ResumesAfterTheImporterWasKilled) {
    const std::vector<std::string> import = import_many();
    const Result<Finished> first = run_akidb_until(import, [&] { return count() >= 500; });
    ASSERT_TRUE(first.has_value()) << first.error().message();
    ASSERT_EQ(first->exit_code, 128 + SIGKILL);
    ASSERT_LT(count(), kManyRows);
    ASSERT_TRUE(std::filesystem::exists(path("state")));
    const Result<Finished> second = run_akidb(import);
    ASSERT_TRUE(second.has_value()) << second.error().message();
    EXPECT_EQ(second->exit_code, kClean) << second->err;
    EXPECT_THAT(second->err, HasSubstr("going on at row "));
    expect_all_rows();
}

TEST_F(CommandsTest, GoesOnWhenTheServerWasKilledAndCameBack) {
    const std::vector<std::string> import = import_many();
    std::future<Result<Finished>> running =
        std::async(std::launch::async, [&] { return run_akidb(import, {}, 120'000); });
    EXPECT_TRUE(reaches(500));
    const uint64_t before = count();
    ASSERT_LT(before, kManyRows);
    const std::string port = url_.substr(url_.rfind(':') + 1);
    server_->kill_now();
    start({"--server.rest_port", port});
    EXPECT_GE(count(), before);
    const Result<Finished> ended = running.get();
    ASSERT_TRUE(ended.has_value()) << ended.error().message();
    EXPECT_EQ(ended->exit_code, kClean) << ended->err;
    expect_all_rows();
}

TEST_F(CommandsTest, ExportsWhatAnImportBringsBackToTheByte) {
    ASSERT_EQ(run({"import", "--collection", "numbers", "--create", "--metric", "l2", "--vectors",
                   write_fbin(1'000), "--metadata", write_metadata(1'000)})
                  .exit_code,
              kClean);
    const std::string first = path("first.jsonl");
    const Finished exported = run({"export", "--collection", "numbers", "--out", first, "--page", "170"});
    EXPECT_EQ(exported.exit_code, kClean) << exported.err;
    EXPECT_THAT(exported.err, HasSubstr("exported 1000 documents of numbers"));
    EXPECT_FALSE(std::filesystem::exists(first + ".part"));
    EXPECT_FALSE(std::filesystem::exists(first + ".export-state"));
    const Finished imported = run({"import", "--collection", "copy", "--create", "--metric", "l2",
                                   "--documents", first, "--batch", "33", "--state", path("state")});
    EXPECT_EQ(imported.exit_code, kClean) << imported.err;
    const Finished again = run({"export", "--collection", "copy", "--out", "-"});
    EXPECT_EQ(again.out, contents_of(first));
    const Finished some = run({"export", "--collection", "copy", "--out", "-", "--without-vectors",
                               "--filter", R"({"must":[{"key":"word","match":{"value":"w7"}}]})"});
    EXPECT_EQ(some.out, "{\"id\":7,\"metadata\":{\"word\":\"w7\",\"parity\":1}}\n");
}

TEST_F(CommandsTest, AnExportGoesOnBehindItsLastWholePage) {
    ASSERT_EQ(run({"import", "--collection", "numbers", "--create", "--metric", "l2", "--vectors",
                   write_fbin(kManyRows), "--batch", "1000"})
                  .exit_code,
              kClean);
    const std::string out = path("out.jsonl");
    // Small pages, so that the kill comes before the last; a sanitizer's server takes long enough for larger
    // ones.
    const std::string page = sanitizer() == Sanitizer::kNone ? "5" : "50";
    const std::vector<std::string> words{"export", "--collection", "numbers",  "--out", out,
                                         "--page", page,           "--resume", "--url", url_};
    const Result<Finished> first =
        run_akidb_until(words, [&] { return std::filesystem::exists(out + ".export-state"); });
    ASSERT_TRUE(first.has_value()) << first.error().message();
    ASSERT_EQ(first->exit_code, 128 + SIGKILL);
    ASSERT_FALSE(std::filesystem::exists(out));
    std::ofstream(out + ".part", std::ios::binary | std::ios::app) << "{\"id\":99,\"vec";
    const Result<Finished> second = run_akidb(words);
    ASSERT_TRUE(second.has_value()) << second.error().message();
    EXPECT_EQ(second->exit_code, kClean) << second->err;
    EXPECT_THAT(second->err, HasSubstr("going on behind "));
    EXPECT_EQ(contents_of(out), run({"export", "--collection", "numbers", "--out", "-"}).out);
}

TEST_F(CommandsTest, WrongDocumentsNameTheirLine) {
    write("broken.jsonl", "{\"id\":1,\"vector\":" + Json(vector_of(1)).dump() + "}\nnonsense\n");
    const std::vector<std::string> import{"import",      "--collection",       "numbers", "--create",
                                          "--documents", path("broken.jsonl"), "--state", path("state")};
    const Finished broken = run(import);
    EXPECT_EQ(broken.exit_code, kUsage);
    EXPECT_THAT(broken.err, HasSubstr("broken.jsonl:2: is not one JSON object"));
    write("broken.jsonl",
          "{\"id\":1,\"vector\":" + Json(vector_of(1)).dump() + "}\n{\"id\":2,\"vector\":[1]}\n");
    EXPECT_THAT(run(import).err, AllOf(HasSubstr("broken.jsonl:2: "), HasSubstr("(vector; allowed")));
    write("broken.jsonl", "[]\n");
    EXPECT_THAT(run(import).err, HasSubstr("broken.jsonl:1: is no document"));
    EXPECT_EQ(run({"import", "--collection", "numbers", "--documents", "x", "--vectors", "y"}).exit_code,
              kUsage);
    EXPECT_EQ(run({"export", "--collection", "none", "--out", path("x")}).exit_code, kUsage);
    EXPECT_EQ(run({"export", "--collection", "numbers", "--out", "-", "--filter", "{"}).exit_code, kUsage);
}

TEST_F(CommandsTest, MakesListsDescribesAndDeletesCollections) {
    const Finished made = run({"collection", "create", "words", "--dimension", "32", "--json"});
    EXPECT_EQ(made.exit_code, kClean) << made.err;
    EXPECT_EQ(Json::parse(made.out)["dimension"], 32);
    const Finished again = run({"collection", "create", "words", "--dimension", "32"});
    EXPECT_EQ(again.exit_code, kUsage);
    EXPECT_EQ(again.out, "");
    EXPECT_THAT(again.err, HasSubstr("words"));
    EXPECT_EQ(run({"collection", "create", "small", "--dimension", "3"}).exit_code, kUsage);
    const Finished listed = run({"collection", "list"});
    EXPECT_EQ(listed.exit_code, kClean);
    EXPECT_THAT(listed.out, AllOf(HasSubstr("NAME"), HasSubstr("words"), HasSubstr("cosine")));
    EXPECT_EQ(Json::parse(run({"collection", "list", "--json"}).out)["collections"].size(), 1U);
    EXPECT_EQ(Json::parse(run({"collection", "get", "words", "--json"}).out)["count"], 0);
    ASSERT_EQ(ask(*server_, "PATCH", "/api/v1/collections/words",
                  Json::parse(R"({"settings":{"ef":300},"metadata_indexes":{"lang":"keyword"}})"))
                  .status,
              200);
    EXPECT_THAT(run({"collection", "get", "words"}).out,
                AllOf(HasSubstr("INDEX"), HasSubstr("lang"), HasSubstr("SETTING"), HasSubstr("300")));
    EXPECT_THAT(run({"--version"}).out, HasSubstr("akidb "));
    EXPECT_EQ(run({"collection", "delete", "words"}).out, "deleted words\n");
    EXPECT_EQ(run({"collection", "delete", "words"}).exit_code, kUsage);
    EXPECT_EQ(run({"collection", "get", "words"}).exit_code, kUsage);
}

TEST_F(CommandsTest, SearchesByVectorIdAndRowOfFile) {
    ASSERT_EQ(ask(*server_, "POST", "/api/v1/collections", collection_named("numbers")).status, 201);
    ASSERT_EQ(ask(*server_, "PUT", "/api/v1/collections/numbers/documents", documents_up_to(50)).status, 200);
    const auto search = [&](std::vector<std::string> more) {
        std::vector<std::string> words{"search", "--collection", "numbers", "--top-k", "3", "--json"};
        words.insert(words.end(), more.begin(), more.end());
        const Finished ended = run(words);
        EXPECT_EQ(ended.exit_code, kClean) << ended.err;
        return Json::parse(ended.out, nullptr, false).value("matches", Json::array());
    };
    EXPECT_EQ(search({"--vector", Json(vector_of(20)).dump()})[0]["id"], 20);
    const Json like = search({"--id", "21"});
    EXPECT_TRUE(like[0]["id"] == 20 || like[0]["id"] == 22) << "a document is not its own answer";
    EXPECT_EQ(search({"--vector-file", write_fbin(50), "--row", "22", "--exact"})[0]["id"], 22);
    const Json odd = search({"--id", "20", "--filter", R"({"must":[{"key":"parity","match":{"value":1}}]})"});
    ASSERT_EQ(odd.size(), 3U);
    EXPECT_EQ(odd[0]["id"], 19);
    EXPECT_EQ(odd[0]["metadata"]["parity"], 1);
    const Finished table = run({"search", "--collection", "numbers", "--id", "7"});
    EXPECT_THAT(table.out, AllOf(HasSubstr("SCORE"), HasSubstr("parity")));
    EXPECT_THAT(table.err, HasSubstr("10 matches"));
}

TEST_F(CommandsTest, EndsWith64ForFaultsOfTheCallerAnd74WhenNobodyAnswers) {
    ASSERT_EQ(ask(*server_, "POST", "/api/v1/collections", collection_named("numbers")).status, 201);
    EXPECT_EQ(run({"search", "--collection", "numbers"}).exit_code, kUsage);
    EXPECT_EQ(run({"search", "--collection", "numbers", "--vector", "[1,2]"}).exit_code, kUsage);
    EXPECT_EQ(run({"search", "--collection", "numbers", "--vector", "nonsense"}).exit_code, kUsage);
    EXPECT_EQ(run({"search", "--collection", "numbers", "--id", "1"}).exit_code, kUsage);
    EXPECT_EQ(run({"search", "--collection", "none", "--vector", Json(vector_of(1)).dump()}).exit_code,
              kUsage);
    EXPECT_EQ(run({"import", "--collection", "numbers"}).exit_code, kUsage);
    server_->kill_now();
    const Finished list = run({"collection", "list"});
    EXPECT_EQ(list.exit_code, kIo);
    EXPECT_EQ(list.out, "");
    EXPECT_THAT(list.err, HasSubstr("akidb: "));
    EXPECT_EQ(run({"search", "--collection", "numbers", "--id", "1"}).exit_code, kIo);
}

}  // namespace
}  // namespace akidb::e2e
