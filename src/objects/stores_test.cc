#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "io/posix_file_system.h"
#include "objects/conformance.h"
#include "objects/directory_store.h"
#include "objects/memory_store.h"
#include "objects/sha256.h"
#include "objects/stores_for_tests.h"

namespace akidb::objects {
namespace {

void expect_conforms(ObjectStore& store) {
    const auto random = io::make_system_random();
    size_t promises = 0;
    EXPECT_TRUE(probe_store(store, *random, [&](const Finding& finding) {
        ++promises;
        EXPECT_EQ(finding.fault, "") << finding.promise;
    }));
    EXPECT_EQ(promises, 9u);
    const auto left = store.list({});
    ASSERT_TRUE(left) << left.error().message();
    EXPECT_TRUE(left->objects.empty());
}

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = testing::TempDir() + "akidb-objects-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        path_ = name;
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

TEST(MemoryStore, Conforms) {
    expect_conforms(*make_memory_store());
}

TEST(DirectoryStore, Conforms) {
    const TemporaryDirectory directory;
    const auto files = io::make_posix_file_system();
    const auto random = io::make_system_random();
    const auto store = open_directory_store(*files, *random, directory.path() + "/objects");
    ASSERT_TRUE(store) << store.error().message();
    expect_conforms(**store);
}

TEST(DirectoryStore, ShowsNoTemporaryFilesAndNothingThatIsNotItsOwn) {
    const TemporaryDirectory directory;
    const auto files = io::make_posix_file_system();
    const auto random = io::make_system_random();
    const auto store = open_directory_store(*files, *random, directory.path());
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->put("a/b", "x", PutMode::kCreateOnly));
    for (const char* name : {"/a/b.123.tmp", "/a/strange name", "/a/\xc3\xa9"}) {
        ASSERT_TRUE(files->create(directory.path() + name));
    }
    const auto page = (*store)->list({});
    ASSERT_TRUE(page);
    ASSERT_EQ(page->objects.size(), 1u);
    EXPECT_EQ(page->objects[0].key, "a/b");
    EXPECT_EQ(open_existing_directory_store(*files, *random, directory.path() + "/nothing").error().code(),
              Code::kNotFound);
}

TEST(DirectoryStore, NeverLeavesItsDirectory) {
    const TemporaryDirectory directory;
    const auto files = io::make_posix_file_system();
    const auto random = io::make_system_random();
    const auto store = open_directory_store(*files, *random, directory.path() + "/in");
    ASSERT_TRUE(store);
    ASSERT_TRUE(files->create(directory.path() + "/secret"));
    for (const std::string& key :
         {std::string("../secret"), std::string("a/../../secret"), std::string("/secret"), std::string(""),
          std::string("."), std::string("a//b"), std::string("a/"), std::string("a\0b", 3),
          std::string("x.tmp"), std::string(513, 'a')}) {
        EXPECT_EQ((*store)->get(key, 10).error().code(), Code::kInvalidArgument) << key;
        EXPECT_EQ((*store)->put(key, "x", PutMode::kOverwrite).error().code(), Code::kInvalidArgument) << key;
        EXPECT_EQ((*store)->remove(key).error().code(), Code::kInvalidArgument) << key;
    }
    EXPECT_TRUE(check_key(std::string(512, 'a')));
}

TEST(Probe, FindsAStoreThatReplacesWhatItShouldNot) {
    /// As servers that ignore If-None-Match do.
    class Careless final : public ObjectStore {
      public:
        Result<void> put(const std::string& key, std::string_view bytes, PutMode) override {
            return store_->put(key, bytes, PutMode::kOverwrite);
        }
        Result<void> put_file(const std::string& key, const FileToPut& source) override {
            return store_->put_file(key, source);
        }
        Result<std::string> get(const std::string& key, uint64_t bytes_max) override {
            return store_->get(key, bytes_max);
        }
        Result<std::string> get_range(const std::string& key, ByteRange range) override {
            return store_->get_range(key, range);
        }
        Result<ObjectFacts> head(const std::string& key) override { return store_->head(key); }
        Result<ObjectPage> list(const ListRequest& request) override { return store_->list(request); }
        Result<void> remove(const std::string& key) override { return store_->remove(key); }

      private:
        std::unique_ptr<ObjectStore> store_ = make_memory_store();
    } careless;
    const auto random = io::make_seeded_random(1);
    std::vector<std::string> faults;
    EXPECT_FALSE(probe_store(careless, *random, [&](const Finding& finding) {
        if (!finding.fault.empty()) {
            faults.emplace_back(finding.fault);
        }
    }));
    EXPECT_THAT(faults,
                testing::ElementsAre("a create-only put replaced an object", "8 of 8 create-only writers won",
                                     "a create-only put replaced an object"));
}

TEST(Sha256, IsThatOfTheStandard) {
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // RFC 4231, test case 2.
    EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace akidb::objects
