#include "backup/collection_copy.h"

#include <algorithm>
#include <optional>

#include "base/mutex.h"
#include "objects/sha256.h"
#include "storage/durable_files.h"
#include "storage/layout.h"

namespace akidb::backup {
namespace {

constexpr const char* kManifest = "manifest-";
constexpr const char* kManifestOfAll = "manifest";  // of servers of before: whichever was put last
constexpr const char* kBlobs = "blobs/";
constexpr const char* kColdIndexes = "cold/";
constexpr uint64_t kPieceBytes = 8 << 20;
constexpr uint64_t kWindowBytes = 1 << 20;  // of a file that is read in little pieces

/// A file of the copy: its bytes as they are asked for, of little pieces in a row many at once. Not verified:
/// who reads it all hashes it. A second pass asks the store anew, so that a wrong bit of one answer shows.
class StoredFile final : public io::ReadFile {
  public:
    StoredFile(objects::ObjectStore& store, std::string key, uint64_t bytes)
        : store_(store), key_(std::move(key)), bytes_(bytes) {}
    uint64_t size() const override { return bytes_; }
    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override {
        if (count == 0) {
            out.clear();
            return {};
        }
        if (count >= kWindowBytes || offset > bytes_ || count > bytes_ - offset) {
            AKIDB_TRY(out, store_.get_range(key_, {offset, count}));
            return {};
        }
        const bool goes_on = offset >= read_to_ && offset >= window_at_;
        read_to_ = offset + count;
        if (!goes_on || offset + count > window_at_ + window_.size()) {
            AKIDB_TRY(window_, store_.get_range(key_, {offset, std::min(kWindowBytes, bytes_ - offset)}));
            window_at_ = offset;
        }
        out = window_.substr(offset - window_at_, count);
        return {};
    }

  private:
    objects::ObjectStore& store_;
    const std::string key_;
    const uint64_t bytes_;
    mutable uint64_t read_to_ = 0;
    mutable uint64_t window_at_ = 0;
    mutable std::string window_;
};

/// The first error of several jobs, once all have ended.
class Jobs {
  public:
    explicit Jobs(size_t count) : left_(count) {}
    void end(const Result<void>& outcome) AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        if (!outcome && !error_) {
            error_ = outcome.error();
        }
        if (--left_ == 0) {
            ended_.notify_all();
        }
    }
    bool has_failed() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        return error_.has_value();
    }
    Result<void> wait() AKIDB_EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        while (left_ > 0) {
            ended_.wait(mutex_);
        }
        return error_ ? Result<void>(*error_) : Result<void>();
    }

  private:
    Mutex mutex_;
    CondVar ended_;
    size_t left_ AKIDB_GUARDED_BY(mutex_);
    std::optional<Error> error_ AKIDB_GUARDED_BY(mutex_);
};

/// Ends a job when it goes: also one that an executor dropped when it stopped.
class JobShare {
  public:
    explicit JobShare(std::shared_ptr<Jobs> jobs) : jobs_(std::move(jobs)) {}
    JobShare(const JobShare&) = delete;
    JobShare& operator=(const JobShare&) = delete;
    ~JobShare() { jobs_->end(outcome_); }
    void set(Result<void> outcome) { outcome_ = std::move(outcome); }

  private:
    std::shared_ptr<Jobs> jobs_;
    Result<void> outcome_ = Error(Code::kUnavailable, "the server is stopping");
};

std::string manifest_name(uint64_t version) {
    return kManifest + std::to_string(version);
}

std::string cold_name(uint64_t version) {
    return kColdIndexes + std::to_string(version);
}

std::string blob_name(const std::string& sha256) {
    return kBlobs + sha256;
}

Result<void> check_running(const std::stop_token& stop) {
    return stop.stop_requested() ? Error(Code::kUnavailable, "the server is stopping") : Result<void>();
}

}  // namespace

CollectionCopy::CollectionCopy(objects::ObjectStore& store, const Uuid& copy)
    : store_(store), prefix_(copy.to_string() + "/"), copy_(copy) {}

std::string CollectionCopy::manifest_key(uint64_t version) const {
    return prefix_ + manifest_name(version);
}

std::string CollectionCopy::key_of(const std::string& sha256) const {
    return prefix_ + blob_name(sha256);
}

/// `is_known`: whether it was verified before; set when the store tells its hash.
Result<void> CollectionCopy::check(const BackupFile& file, bool& is_known) {
    const std::string key = key_of(file.sha256);
    const Result<objects::ObjectFacts> facts = store_.head(key);
    if (!facts) {
        return facts.error().code() == Code::kNotFound
                   ? Error(Code::kDataLoss, "the object " + key + " is missing in the store")
                   : Error(facts.error());
    }
    if (facts->bytes != file.bytes || (!facts->sha256.empty() && facts->sha256 != file.sha256)) {
        return Error(Code::kDataLoss, "the object " + key + " is not what was put there");
    }
    is_known = is_known || !facts->sha256.empty();
    return {};
}

Result<CollectionCopy::Put> CollectionCopy::put(BackedUpCollection described,
                                                const std::vector<Source>& sources,
                                                const std::vector<BackupFile>& known, Note note,
                                                const std::stop_token& stop) {
    Put put;
    uint64_t version = 0;
    std::vector<bool> known_files;
    for (const Source& source : sources) {
        version = storage::parse_manifest_name(source.name).value_or(version);
        AKIDB_TRY(check_running(stop));
        BackupFile file{.name = source.name, .bytes = source.file.size(), .stored_bytes = source.file.size()};
        // A name stands for the same bytes as long as the collection lives.
        const auto before = std::find_if(known.begin(), known.end(), [&](const BackupFile& one) {
            return one.name == file.name && one.bytes == file.bytes;
        });
        known_files.push_back(before != known.end());
        if (before != known.end()) {
            file.sha256 = before->sha256;
        } else {
            AKIDB_TRY(file.sha256, objects::sha256_of_file(source.file, file.bytes));
        }
        put.files.push_back(std::move(file));
    }
    AKIDB_TRY(note(names_of(version, put.files)));
    for (size_t i = 0; i < sources.size(); ++i) {
        AKIDB_TRY(check_running(stop));
        const BackupFile& file = put.files[i];
        bool is_known = known_files[i];
        const Result<void> there = check(file, is_known);
        if (!there && there.error().code() != Code::kDataLoss) {
            return there.error();
        }
        if (!there || !is_known) {
            AKIDB_TRY(store_.put_file(key_of(file.sha256), {sources[i].file, file.bytes, file.sha256}));
            put.sent_bytes += file.bytes;
        }
    }
    AKIDB_TRY(verify(put.files));
    BackupManifest manifest;
    manifest.id = copy_;
    manifest.sent_bytes = put.sent_bytes;
    manifest.catalog.sha256 = objects::sha256_hex("");
    described.files = put.files;
    manifest.collections.push_back(std::move(described));
    AKIDB_TRY(
        store_.put(manifest_key(version), encode_backup_manifest(manifest), objects::PutMode::kOverwrite));
    return put;
}

Result<BackedUpCollection> CollectionCopy::read(uint64_t version) {
    std::string key = manifest_key(version);
    Result<std::string> bytes = store_.get(key, kBackupManifestBytesMax);
    if (!bytes && bytes.error().code() == Code::kNotFound) {
        key = prefix_ + kManifestOfAll;
        bytes = store_.get(key, kBackupManifestBytesMax);
    }
    if (!bytes) {
        return bytes.error().code() == Code::kNotFound
                   ? Error(Code::kDataLoss,
                           "the object " + manifest_key(version) + " is missing in the store")
                   : std::move(bytes).error();
    }
    Result<BackupManifest> manifest = decode_backup_manifest(*bytes);
    if (!manifest) {
        return std::move(manifest).error().with_context(key);
    }
    if (manifest->id != copy_ || manifest->collections.size() != 1) {
        return Error(Code::kDataLoss, key + ": it is the manifest of something else");
    }
    const std::vector<BackupFile>& files = manifest->collections.front().files;
    if (std::none_of(files.begin(), files.end(), [&](const BackupFile& file) {
            return storage::parse_manifest_name(file.name) == version;
        })) {
        return Error(Code::kDataLoss, key + ": it is the manifest of another version");
    }
    return std::move(manifest->collections.front());
}

Result<void> CollectionCopy::verify(const std::vector<BackupFile>& files) {
    for (const BackupFile& file : files) {
        bool is_known = true;
        AKIDB_TRY(check(file, is_known));
    }
    return {};
}

std::vector<std::string> CollectionCopy::names_of(uint64_t version, const std::vector<BackupFile>& files) {
    std::vector<std::string> names{manifest_name(version), cold_name(version)};
    for (const BackupFile& file : files) {
        names.push_back(blob_name(file.sha256));
    }
    return names;
}

Result<std::vector<std::string>> CollectionCopy::remove_others(uint64_t version,
                                                               const std::vector<BackupFile>& named,
                                                               const std::vector<std::string>& sent) {
    const std::vector<std::string> kept = names_of(version, named);
    return remove_but({kept.begin(), kept.end()}, sent);
}

Result<void> CollectionCopy::remove_all(const std::vector<std::string>& sent) {
    AKIDB_TRY(remove_but({}, sent));
    return {};
}

/// Names within the copy.
Result<std::vector<std::string>> CollectionCopy::remove_but(const std::set<std::string>& kept,
                                                            const std::vector<std::string>& sent) {
    std::vector<std::string> removed;
    for (const std::string& name : sent) {
        if (!kept.contains(name)) {
            AKIDB_TRY(store_.remove(prefix_ + name));
            removed.push_back(name);
        }
    }
    objects::ListRequest request{.prefix = prefix_};
    while (true) {
        AKIDB_TRY(const objects::ObjectPage page, store_.list(request));
        for (const objects::ObjectFacts& object : page.objects) {
            if (!kept.contains(object.key.substr(prefix_.size()))) {
                AKIDB_TRY(store_.remove(object.key));
            }
        }
        if (page.is_last) {
            return removed;
        }
        request.after = page.objects.back().key;
    }
}

std::string CollectionCopy::cold_key(uint64_t version) const {
    return prefix_ + cold_name(version);
}

Result<bool> CollectionCopy::has_cold_index(uint64_t version) {
    const Result<objects::ObjectFacts> facts = store_.head(cold_key(version));
    if (!facts && facts.error().code() != Code::kNotFound) {
        return facts.error();
    }
    return facts.has_value();
}

Result<uint64_t> CollectionCopy::put_cold_index(uint64_t version, const io::ReadFile& index) {
    AKIDB_TRY(const std::string sha256, objects::sha256_of_file(index, index.size()));
    AKIDB_TRY(store_.put_file(cold_key(version), {index, index.size(), sha256}));
    return index.size();
}

Result<void> CollectionCopy::fetch_file(io::FileSystem& files, const std::string& path,
                                        const BackupFile& wanted, const std::stop_token& stop) {
    const std::string key = key_of(wanted.sha256);
    AKIDB_TRY(const auto file, files.create(path));
    objects::Sha256 hash;
    for (uint64_t at = 0; at < wanted.bytes;) {
        AKIDB_TRY(check_running(stop));
        Result<std::string> piece = store_.get_range(key, {at, std::min(kPieceBytes, wanted.bytes - at)});
        if (!piece) {
            return piece.error().code() == Code::kNotFound
                       ? Error(Code::kDataLoss, "the object " + key + " is missing in the store")
                       : std::move(piece).error();
        }
        hash.add(*piece);
        AKIDB_TRY(file->append(*piece));
        at += piece->size();
    }
    if (objects::hex(hash.finish()) != wanted.sha256) {
        return Error(Code::kDataLoss, "the object " + key + " does not have the SHA-256 that names it");
    }
    AKIDB_TRY(file->sync());
    return file->close();
}

Result<void> CollectionCopy::fetch(io::FileSystem& files, io::Executor& executor,
                                   const std::string& directory, const std::vector<BackupFile>& wanted,
                                   const std::stop_token& stop) {
    const auto jobs = std::make_shared<Jobs>(wanted.size() + 1);
    for (const BackupFile& file : wanted) {
        auto share = std::make_shared<JobShare>(jobs);
        // This waits until all have ended, so they may use what is ours.
        auto job = [this, &files, &file, &stop, share, jobs,
                    path = storage::join_path(directory, file.name)](const std::stop_token& pool) {
            if (!jobs->has_failed() && !pool.stop_requested()) {
                share->set(fetch_file(files, path, file, stop));
            }
        };
        if (!executor.submit("fetch", job)) {
            job({});
        }
    }
    jobs->end({});
    return jobs->wait();
}

std::unique_ptr<io::ReadFile> CollectionCopy::open(const BackupFile& file) {
    return std::make_unique<StoredFile>(store_, key_of(file.sha256), file.bytes);
}

}  // namespace akidb::backup
