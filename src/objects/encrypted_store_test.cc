#include "objects/encrypted_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "objects/conformance.h"
#include "objects/memory_store.h"
#include "objects/sha256.h"
#include "objects/stores_for_tests.h"

namespace akidb::objects {
namespace {

using testing::HasSubstr;

constexpr uint64_t kChunk = 64 << 10;

EncryptionKey key_of(char digit) {
    return EncryptionKey::parse(std::string(64, digit)).value();
}

class EncryptedStoreTest : public testing::Test {
  protected:
    std::string drawn(size_t bytes) {
        std::string text(bytes, '\0');
        for (char& byte : text) {
            byte = static_cast<char>(random_->next_u64());
        }
        return text;
    }
    std::string behind(const std::string& key) { return memory_->get(key, kSinglePutBytesMax).value(); }
    void put_behind(const std::string& key, const std::string& bytes) {
        ASSERT_TRUE(memory_->put(key, bytes, PutMode::kOverwrite));
    }

    std::unique_ptr<io::Random> random_ = io::make_seeded_random(5);
    std::unique_ptr<ObjectStore> memory_ = make_memory_store();
    std::unique_ptr<ObjectStore> store_ = make_encrypted_store(*memory_, key_of('a'), *random_);
};

TEST_F(EncryptedStoreTest, Conforms) {
    EXPECT_TRUE(probe_store(*store_, *random_,
                            [](const Finding& finding) { EXPECT_EQ(finding.fault, "") << finding.promise; }));
}

TEST_F(EncryptedStoreTest, GivesBackWhatWasPutWholeAndByRange) {
    for (const uint64_t bytes : {uint64_t{0}, uint64_t{1}, kChunk - 1, kChunk, kChunk + 1, 2 * kChunk - 1,
                                 2 * kChunk, 2 * kChunk + 1, 5 * kChunk + 77}) {
        const std::string text = drawn(bytes);
        ASSERT_TRUE(store_->put("put", text, PutMode::kOverwrite));
        ASSERT_TRUE(store_->put_file("file", {TextFile(text), bytes, sha256_hex(text)}));
        for (const char* name : {"put", "file"}) {
            EXPECT_EQ(store_->get(name, bytes).value(), text);
            EXPECT_EQ(store_->head(name)->bytes, bytes);
            EXPECT_EQ(store_->list({.prefix = name})->objects.at(0).bytes, bytes);
            EXPECT_EQ(store_->get_range(name, {0, bytes}).value(), text);
            for (int i = 0; i < 20 && bytes > 0; ++i) {
                const uint64_t from = random_->next_u64() % bytes;
                const uint64_t count = random_->next_u64() % (bytes - from + 1);
                EXPECT_EQ(store_->get_range(name, {from, count}).value(), text.substr(from, count));
            }
            EXPECT_EQ(store_->get_range(name, {bytes, 1}).error().code(), Code::kDataLoss);
        }
        EXPECT_NE(behind("put"), behind("file")) << "a salt for each";
    }
    EXPECT_EQ(store_->put_file("file", {TextFile("abc"), 3, sha256_hex("abd")}).error().code(),
              Code::kDataLoss);
}

TEST_F(EncryptedStoreTest, ShowsNothingOfWhatIsKept) {
    const std::string text = "a text that is long enough to be found";
    ASSERT_TRUE(store_->put("a", text + text, PutMode::kOverwrite));
    EXPECT_THAT(behind("a"), testing::Not(HasSubstr("long enough")));
}

TEST_F(EncryptedStoreTest, WhateverIsChangedCutOrSwappedIsRefused) {
    ASSERT_TRUE(store_->put("a", "some bytes", PutMode::kOverwrite));
    const std::string whole = behind("a");
    for (size_t at = 0; at < whole.size(); ++at) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
        put_behind("a", flipped);
        EXPECT_FALSE(store_->get("a", 100)) << at;
        EXPECT_FALSE(store_->head("a").has_value() && store_->get_range("a", {0, 10}).has_value()) << at;
        put_behind("a", whole.substr(0, at));
        EXPECT_FALSE(store_->get("a", 100)) << at;
    }
    put_behind("b", whole);
    EXPECT_EQ(store_->get("b", 100).error().code(), Code::kDataLoss) << "it is not the object of that name";
    // Cut where a chunk ends.
    ASSERT_TRUE(store_->put("long", drawn(2 * kChunk), PutMode::kOverwrite));
    const std::string two = behind("long");
    put_behind("long", two.substr(0, two.size() - kChunk - 16));
    EXPECT_EQ(store_->get("long", 4 * kChunk).error().code(), Code::kDataLoss);
    EXPECT_EQ(store_->get_range("long", {kChunk - 1, 1}).error().code(), Code::kDataLoss);
}

/// The beginning of the object that was read last is remembered.
TEST_F(EncryptedStoreTest, ReadsByRangeWhatSomebodyElsePutMeanwhile) {
    const auto other = make_encrypted_store(*memory_, key_of('a'), *random_);
    ASSERT_TRUE(store_->put("key", "one", PutMode::kOverwrite));
    EXPECT_EQ(store_->get_range("key", {0, 3}).value(), "one");
    ASSERT_TRUE(other->put("key", "three", PutMode::kOverwrite));
    EXPECT_EQ(store_->get_range("key", {0, 5}).value(), "three");
}

TEST_F(EncryptedStoreTest, AFileMayNameAKeyOfItsOwnAndIsReadWhileThatIsThere) {
    const EncryptionKey own = key_of('b');
    Keyring ring;
    const auto store = make_encrypted_store(*memory_, key_of('a'), *random_, &ring);
    const FileToPut file{TextFile("some bytes"), 10, sha256_hex("some bytes"), own.id()};
    EXPECT_EQ(store->put_file("file", file).error().code(), Code::kPermissionDenied);
    EXPECT_EQ(memory_->head("file").error().code(), Code::kNotFound);
    ring.add(own);
    ASSERT_TRUE(store->put_file("file", file));
    EXPECT_EQ(store->get("file", 100).value(), "some bytes");
    EXPECT_EQ(encryption_key_id(behind("file")), own.id());
    EXPECT_EQ(make_encrypted_store(*memory_, own, *random_)->get("file", 100).value(), "some bytes");
    ASSERT_TRUE(store->put("other", "bytes", PutMode::kOverwrite));
    EXPECT_EQ(encryption_key_id(behind("other")), key_of('a').id());
    EXPECT_EQ(store_->get("file", 100).error().code(), Code::kPermissionDenied)
        << "it has the other key alone";
    ring.remove(own.id());
    EXPECT_EQ(store->get("file", 100).error().code(), Code::kPermissionDenied);
    EXPECT_EQ(store->head("file").error().code(), Code::kPermissionDenied);
    EXPECT_EQ(store->list({.prefix = "file"})->objects.at(0).bytes, 10u) << "sizes need no key";
    EXPECT_TRUE(store->remove("file"));
}

TEST_F(EncryptedStoreTest, AnotherKeyAndNoneAreRefusedByName) {
    ASSERT_TRUE(store_->put("a", "bytes", PutMode::kOverwrite));
    const EncryptionKey other = key_of('b');
    const std::string id = other.id();
    const auto wrong = make_encrypted_store(*memory_, other, *random_);
    for (const Error& refused :
         {wrong->get("a", 100).error(), wrong->head("a").error(), wrong->get_range("a", {0, 1}).error()}) {
        EXPECT_EQ(refused.code(), Code::kPermissionDenied);
        EXPECT_THAT(refused.message(), testing::AllOf(HasSubstr(key_of('a').id()), HasSubstr(id)));
    }
    EXPECT_EQ(encryption_key_id(behind("a")), key_of('a').id());
    put_behind("plain", std::string(500, 'p'));
    EXPECT_THAT(store_->get("plain", 1000).error().message(), HasSubstr("is not encrypted"));
    EXPECT_THAT(store_->head("plain").error().message(), HasSubstr("is not encrypted"));
    EXPECT_FALSE(encryption_key_id("plain"));
}

TEST_F(EncryptedStoreTest, ReadsTheGoldenFile) {
    std::ifstream file(AKIDB_SOURCE_DIR "/tests/golden/backup/encrypted-1", std::ios::binary);
    put_behind("latest", {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
    const auto key = EncryptionKey::parse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    ASSERT_TRUE(key);
    const auto golden = make_encrypted_store(*memory_, *key, *random_);
    EXPECT_EQ(golden->get("latest", 100).value(), "01020304-0506-7708-890a-0b0c0d0e0f10");
}

TEST_F(EncryptedStoreTest, KeysAreSixtyFourHexDigitsInAPrivateFile) {
    for (const std::string& text : {std::string(), std::string(63, 'a'), std::string(65, 'a'),
                                    std::string(64, 'g'), std::string(66, 'a')}) {
        EXPECT_FALSE(EncryptionKey::parse(text)) << text;
    }
    const std::string path = testing::TempDir() + "akidb-key-" + std::to_string(::getpid());
    std::ofstream(path) << std::string(64, 'a') << "\n";
    std::filesystem::permissions(path,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    EXPECT_EQ(read_encryption_key(path)->id(), key_of('a').id());
    std::filesystem::permissions(path, std::filesystem::perms::all);
    EXPECT_EQ(read_encryption_key(path).error().code(), Code::kPermissionDenied);
    std::filesystem::remove(path);
    EXPECT_EQ(read_encryption_key(path).error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace akidb::objects
