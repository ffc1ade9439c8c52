// Documents with several vectors, as a person at a shell meets them: created, imported, searched, exported
// and brought back.
#include <gmock/gmock.h>

#include <fstream>

#include "json_requests.h"

namespace akidb::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class VectorsTest : public testing::Test {
  protected:
    void SetUp() override {
        Result<std::unique_ptr<ServerProcess>> started =
            ServerProcess::start({.data_directory = path("data"), .flags = {"--drain.min_ms", "0"}});
        ASSERT_TRUE(started.has_value()) << started.error().message();
        server_ = std::move(*started);
        ASSERT_TRUE(server_->wait_until_ready().has_value());
    }

    std::string path(const std::string& name) const { return files_.path() + "/" + name; }

    Finished run(std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--url", server_->rest_url()});
        Result<Finished> finished = run_akidb(arguments);
        EXPECT_TRUE(finished.has_value()) << finished.error().message();
        return finished ? *finished : Finished{};
    }

    static std::string contents_of(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    TemporaryDirectory files_;
    std::unique_ptr<ServerProcess> server_;
};

TEST_F(VectorsTest, DocumentsWithSeveralAreImportedSearchedAndExportedToTheByte) {
    for (const char* name : {"pictures", "copy"}) {
        const Finished made = run({"collection", "create", name, "--vector", "image:16:l2", "--vector",
                                   "caption:20:dot:f16", "--json"});
        ASSERT_EQ(made.exit_code, kClean) << made.err;
        EXPECT_EQ(Json::parse(made.out)["vectors"]["caption"]["storage"], "f16");
        EXPECT_FALSE(Json::parse(made.out).contains("dimension"));
    }
    const auto filled = [](size_t size, int number) { return Json(std::vector<int>(size, number)); };
    std::string lines;
    for (int id = 1; id <= 9; ++id) {
        Json document{{"id", id}};
        document["vectors"]["image"] = filled(16, id);
        if (id % 3 != 0) {
            document["vectors"]["caption"] = filled(20, -id);
        }
        lines += document.dump() + "\n";
    }
    lines += "{\"id\":10}\n";
    std::ofstream(path("pictures.jsonl"), std::ios::binary) << lines;
    const std::vector<std::string> from_file{"--documents", path("pictures.jsonl"), "--state", path("state")};
    const auto import_into = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"import", "--collection"});
        words.insert(words.end(), from_file.begin(), from_file.end());
        return run(words);
    };
    const Finished imported = import_into({"pictures"});
    ASSERT_EQ(imported.exit_code, kClean) << imported.err;
    const Finished exported = run({"export", "--collection", "pictures", "--out", path("first.jsonl")});
    ASSERT_EQ(exported.exit_code, kClean) << exported.err;
    ASSERT_EQ(
        run({"import", "--collection", "copy", "--documents", path("first.jsonl"), "--state", path("state")})
            .exit_code,
        kClean);
    EXPECT_EQ(run({"export", "--collection", "copy", "--out", "-"}).out, contents_of(path("first.jsonl")));
    EXPECT_THAT(contents_of(path("first.jsonl")), HasSubstr(filled(20, -8).dump()));
    const Finished found =
        run({"search", "--collection", "copy", "--using", "caption", "--vector", filled(20, -1).dump(),
             "--top-k", "2", "--include", "vectors.caption", "--json"});
    ASSERT_EQ(found.exit_code, kClean) << found.err;
    EXPECT_EQ(Json::parse(found.out)["matches"][0]["id"], 8);
    EXPECT_EQ(Json::parse(found.out)["matches"][1]["id"], 7);
    EXPECT_EQ(Json::parse(found.out)["matches"][1]["vectors"], Json({{"caption", filled(20, -7)}}));
    EXPECT_THAT(run({"collection", "get", "copy"}).out, AllOf(HasSubstr("VECTOR"), HasSubstr("caption")));
    EXPECT_THAT(import_into({"other", "--create"}).err, HasSubstr("collection create other --vector"));
    EXPECT_THAT(run({"collection", "create", "bad", "--vector", "image"}).err,
                HasSubstr("title:384:cosine:f16"));
}

}  // namespace
}  // namespace akidb::e2e
