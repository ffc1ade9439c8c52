#include "objects/directory_store.h"

#include <algorithm>

#include "objects/sha256.h"

namespace akidb::objects {
namespace {

// Between disk, hash and disk again it stays in the cache of one processor.
constexpr uint64_t kPieceBytes = 128 << 10;

class DirectoryStore final : public ObjectStore {
  public:
    DirectoryStore(io::FileSystem& files, io::Random& random, std::string root)
        : files_(files), random_(random), root_(std::move(root)) {}

    Result<void> put(const std::string& key, std::string_view bytes, PutMode mode) override {
        AKIDB_TRY(check_put(key, bytes.size(), kSinglePutBytesMax));
        return put_by(key, mode, [&](io::AppendFile& file) { return file.append(bytes); });
    }

    Result<void> put_file(const std::string& key, const FileToPut& source) override {
        AKIDB_TRY(check_put(key, source.bytes, kObjectBytesMax));
        return put_by(key, PutMode::kOverwrite, [&](io::AppendFile& file) -> Result<void> {
            Sha256 hash;
            std::string piece;
            for (uint64_t at = 0; at < source.bytes; at += piece.size()) {
                const auto count = static_cast<size_t>(std::min(kPieceBytes, source.bytes - at));
                AKIDB_TRY(source.file.read_at(at, count, piece));
                hash.add(piece);
                AKIDB_TRY(file.append(piece));
            }
            if (hex(hash.finish()) != source.sha256) {
                return Error(Code::kDataLoss, "the file for " + key + " is not what was to be put");
            }
            return {};
        });
    }

    Result<std::string> get(const std::string& key, uint64_t bytes_max) override {
        AKIDB_TRY(const auto file, open(key));
        if (file->size() > bytes_max) {
            return Error(Code::kPayloadTooLarge,
                         "the object " + key + " is larger than " + std::to_string(bytes_max) + " bytes");
        }
        std::string bytes;
        AKIDB_TRY(file->read_at(0, file->size(), bytes));
        return bytes;
    }

    Result<std::string> get_range(const std::string& key, ByteRange range) override {
        AKIDB_TRY(const auto file, open(key));
        if (range.offset > file->size() || range.count > file->size() - range.offset) {
            return Error(Code::kDataLoss, "the object " + key + " ends before what was asked of it");
        }
        std::string bytes;
        AKIDB_TRY(file->read_at(range.offset, range.count, bytes));
        return bytes;
    }

    Result<ObjectFacts> head(const std::string& key) override {
        AKIDB_TRY(const auto file, open(key));
        return ObjectFacts{key, file->size(), {}};
    }

    Result<ObjectPage> list(const ListRequest& request) override {
        AKIDB_TRY(check_list(request));
        std::vector<ObjectFacts> found;
        // What is before the last '/' of the prefix are directories for sure.
        const size_t slash = request.prefix.rfind('/');
        const std::string below = slash == std::string::npos ? "" : request.prefix.substr(0, slash);
        AKIDB_TRY(collect(below, request, found));
        std::sort(found.begin(), found.end(),
                  [](const ObjectFacts& a, const ObjectFacts& b) { return a.key < b.key; });
        ObjectPage page;
        page.is_last = found.size() <= request.limit;
        found.resize(std::min(found.size(), request.limit));
        page.objects = std::move(found);
        return page;
    }

    Result<void> remove(const std::string& key) override {
        AKIDB_TRY(check_key(key));
        const Result<void> removed = files_.remove(path_of(key));
        if (!removed && removed.error().code() == Code::kNotFound) {
            return {};
        }
        AKIDB_TRY(Result<void>(removed));
        return files_.sync_directory(parent_of(path_of(key)));
    }

  private:
    std::string path_of(std::string_view key) const {
        return key.empty() ? root_ : root_ + "/" + std::string(key);
    }

    static std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

    Result<std::unique_ptr<io::ReadFile>> open(const std::string& key) {
        AKIDB_TRY(check_key(key));
        return files_.open_read(path_of(key));
    }

    /// The directories between the root and the object, durable.
    Result<void> make_directories(const std::string& key) {
        for (size_t slash = key.find('/'); slash != std::string::npos; slash = key.find('/', slash + 1)) {
            const std::string path = path_of(key.substr(0, slash));
            AKIDB_TRY(files_.make_directory(path));
            AKIDB_TRY(files_.sync_directory(parent_of(path)));
        }
        return {};
    }

    template <class Fill>
    Result<void> put_by(const std::string& key, PutMode mode, Fill fill) {
        AKIDB_TRY(make_directories(key));
        const std::string path = path_of(key);
        const std::string temporary =
            path + "." + std::to_string(random_.next_u64()) + std::string(io::kTemporarySuffix);
        Result<void> outcome = write(temporary, fill);
        if (outcome) {
            outcome = mode == PutMode::kCreateOnly ? files_.rename_new(temporary, path)
                                                   : files_.rename(temporary, path);
        }
        if (!outcome) {
            // What cannot be removed stays a temporary file; the first error is the one that tells.
            static_cast<void>(files_.remove(temporary).has_value());
            return outcome;
        }
        return files_.sync_directory(parent_of(path));
    }

    template <class Fill>
    Result<void> write(const std::string& path, Fill fill) {
        AKIDB_TRY(const std::unique_ptr<io::AppendFile> file, files_.create(path));
        AKIDB_TRY(fill(*file));
        AKIDB_TRY(file->sync());
        return file->close();
    }

    Result<void> collect(const std::string& below, const ListRequest& request,
                         std::vector<ObjectFacts>& found) {
        Result<std::vector<io::DirectoryEntry>> entries = files_.list(path_of(below));
        if (!entries) {
            return entries.error().code() == Code::kNotFound ? Result<void>() : std::move(entries).error();
        }
        for (const io::DirectoryEntry& entry : *entries) {
            std::string key = below.empty() ? entry.name : below + "/" + entry.name;
            if (!check_key(key)) {
                continue;  // a temporary file, or none of ours
            }
            if (entry.is_directory) {
                const std::string inside = key + "/";
                const size_t common = std::min(inside.size(), request.prefix.size());
                if (inside.compare(0, common, request.prefix, 0, common) == 0) {
                    AKIDB_TRY(collect(key, request, found));
                }
            } else if (key.starts_with(request.prefix) && key > request.after) {
                found.push_back({std::move(key), entry.size, {}});
            }
        }
        return {};
    }

    io::FileSystem& files_;
    io::Random& random_;
    const std::string root_;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_directory_store(io::FileSystem& files, io::Random& random,
                                                          const std::string& root) {
    AKIDB_TRY(files.make_directory(root));
    const size_t slash = root.find_last_of('/');
    const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : root.substr(0, slash);
    AKIDB_TRY(files.sync_directory(parent));
    return std::unique_ptr<ObjectStore>(std::make_unique<DirectoryStore>(files, random, root));
}

Result<std::unique_ptr<ObjectStore>> open_existing_directory_store(io::FileSystem& files, io::Random& random,
                                                                   const std::string& root) {
    AKIDB_TRY(files.list(root));
    return std::unique_ptr<ObjectStore>(std::make_unique<DirectoryStore>(files, random, root));
}

}  // namespace akidb::objects
