// What this layer's tests share: a temp directory on the real disk, a file system that fails at a chosen
// call, and helpers to read, damage and copy files. For tests only; not thread-safe.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/uuid.h"
#include "io/posix_file_system.h"

namespace akidb::storage {

class TempDirectory {
  public:
    TempDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "akidb-storage-XXXXXX").string();
        AKIDB_ASSERT(mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~TempDirectory() { std::filesystem::remove_all(path_); }
    TempDirectory(const TempDirectory&) = delete;
    TempDirectory& operator=(const TempDirectory&) = delete;

    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

inline std::string read_bytes(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in.good()) << path;
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// The bytes of each hex block of a page of the documents.
inline std::vector<std::string> hex_blocks(const std::string& page) {
    std::vector<std::string> blocks;
    std::istringstream lines(read_bytes(page));
    bool is_inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("```")) {
            is_inside = line == "```hex";
            if (is_inside) {
                blocks.emplace_back();
            }
        } else if (is_inside) {
            std::istringstream words(line.substr(0, line.find('#')));
            for (std::string word; words >> word;) {
                blocks.back() += static_cast<char>(std::stoi(word, nullptr, 16));
            }
        }
    }
    return blocks;
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
    // Some file systems write a file that is truncated and filled anew to disk at once, which is slow.
    std::filesystem::remove(path);
    std::ofstream out(path, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(out.good()) << path;
}

inline std::string with_flipped_bit(std::string bytes, size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    return bytes;
}

inline std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

inline Uuid test_collection() {
    Uuid uuid;
    for (size_t i = 0; i < uuid.bytes.size(); ++i) {
        uuid.bytes[i] = static_cast<uint8_t>(0xa0 + i);
    }
    return uuid;
}

/// Passes everything on to the real disk and fails the calls of one kind that the test chose.
class FaultyFileSystem : public io::FileSystem {
  public:
    enum class Call { kNone, kCreate, kAppend, kPreallocate, kSync, kRename, kRemove, kSyncDirectory };

    /// The call of this kind after `skip` more of them fails with `code`, and so do all later ones until
    /// healed.
    void fail(Call call, Code code, int skip = 0) { call_ = call, code_ = code, skip_ = skip; }
    void heal() { call_ = Call::kNone; }
    /// For loops over every bit, which would wait for the disk most of the time.
    void skip_syncs() { skips_syncs_ = true; }

    Result<void> check(Call call) {
        if (call != call_ || skip_-- > 0) {
            return {};
        }
        skip_ = 0;
        return Error(code_, "injected");
    }

    Result<std::unique_ptr<io::AppendFile>> create(const std::string& path) override {
        AKIDB_TRY(check(Call::kCreate));
        AKIDB_TRY(std::unique_ptr<io::AppendFile> file, real_->create(path));
        return std::unique_ptr<io::AppendFile>(std::make_unique<File>(*this, std::move(file)));
    }
    Result<std::unique_ptr<io::ReadFile>> open_read(const std::string& path) override {
        return real_->open_read(path);
    }
    Result<std::unique_ptr<io::MappedFile>> map(const std::string& path) override { return real_->map(path); }
    Result<std::vector<io::DirectoryEntry>> list(const std::string& directory) override {
        return real_->list(directory);
    }
    Result<void> rename(const std::string& from, const std::string& to) override {
        AKIDB_TRY(check(Call::kRename));
        return real_->rename(from, to);
    }
    Result<void> remove(const std::string& path) override {
        AKIDB_TRY(check(Call::kRemove));
        return real_->remove(path);
    }
    Result<void> make_directory(const std::string& path) override { return real_->make_directory(path); }
    Result<void> remove_directory(const std::string& path) override { return real_->remove_directory(path); }
    Result<void> sync_directory(const std::string& path) override {
        AKIDB_TRY(check(Call::kSyncDirectory));
        return skips_syncs_ ? Result<void>() : real_->sync_directory(path);
    }
    Result<std::unique_ptr<io::FileLock>> lock(const std::string& path) override { return real_->lock(path); }
    Result<uint64_t> free_bytes(const std::string& path) override { return real_->free_bytes(path); }

  private:
    class File final : public io::AppendFile {
      public:
        File(FaultyFileSystem& owner, std::unique_ptr<io::AppendFile> real)
            : owner_(owner), real_(std::move(real)) {}
        Result<void> append(std::string_view bytes) override {
            AKIDB_TRY(owner_.check(Call::kAppend));
            return real_->append(bytes);
        }
        Result<void> preallocate(uint64_t total) override {
            AKIDB_TRY(owner_.check(Call::kPreallocate));
            return real_->preallocate(total);
        }
        Result<void> sync() override {
            AKIDB_TRY(owner_.check(Call::kSync));
            return owner_.skips_syncs_ ? Result<void>() : real_->sync();
        }
        uint64_t size() const override { return real_->size(); }
        uint64_t allocated() const override { return real_->allocated(); }
        Result<void> close() override { return real_->close(); }

      private:
        FaultyFileSystem& owner_;
        std::unique_ptr<io::AppendFile> real_;
    };

    std::unique_ptr<io::FileSystem> real_ = io::make_posix_file_system();
    Call call_ = Call::kNone;
    Code code_ = Code::kInternal;
    int skip_ = 0;
    bool skips_syncs_ = false;
};

}  // namespace akidb::storage
