#include "objects/memory_store.h"

#include <map>

#include "base/mutex.h"
#include "objects/sha256.h"

namespace akidb::objects {
namespace {

class MemoryStore final : public ObjectStore {
  public:
    Result<void> put(const std::string& key, std::string_view bytes, PutMode mode) override {
        AKIDB_TRY(check_put(key, bytes.size(), kSinglePutBytesMax));
        MutexLock lock(mutex_);
        if (mode == PutMode::kCreateOnly && objects_.contains(key)) {
            return Error(Code::kAlreadyExists, "the object " + key + " is there");
        }
        objects_[key] = {std::string(bytes), sha256_hex(bytes)};
        return {};
    }

    Result<void> put_file(const std::string& key, const FileToPut& source) override {
        AKIDB_TRY(check_put(key, source.bytes, kObjectBytesMax));
        std::string bytes;
        AKIDB_TRY(source.file.read_at(0, source.bytes, bytes));
        std::string found = sha256_hex(bytes);
        if (found != source.sha256) {
            return Error(Code::kDataLoss, "the file for " + key + " is not what was to be put");
        }
        MutexLock lock(mutex_);
        objects_[key] = {std::move(bytes), std::move(found)};
        return {};
    }

    Result<std::string> get(const std::string& key, uint64_t bytes_max) override {
        AKIDB_TRY(const Object object, find(key));
        if (object.bytes.size() > bytes_max) {
            return Error(Code::kPayloadTooLarge,
                         "the object " + key + " is larger than " + std::to_string(bytes_max) + " bytes");
        }
        return object.bytes;
    }

    Result<std::string> get_range(const std::string& key, ByteRange range) override {
        AKIDB_TRY(const Object object, find(key));
        if (range.offset > object.bytes.size() || range.count > object.bytes.size() - range.offset) {
            return Error(Code::kDataLoss, "the object " + key + " ends before what was asked of it");
        }
        return object.bytes.substr(range.offset, range.count);
    }

    Result<ObjectFacts> head(const std::string& key) override {
        AKIDB_TRY(const Object object, find(key));
        return ObjectFacts{key, object.bytes.size(), object.sha256};
    }

    Result<ObjectPage> list(const ListRequest& request) override {
        AKIDB_TRY(check_list(request));
        ObjectPage page;
        MutexLock lock(mutex_);
        for (auto at = objects_.lower_bound(std::max(request.prefix, request.after));
             at != objects_.end() && at->first.starts_with(request.prefix); ++at) {
            if (at->first == request.after) {
                continue;
            }
            if (page.objects.size() == request.limit) {
                page.is_last = false;
                break;
            }
            page.objects.push_back({at->first, at->second.bytes.size(), {}});
        }
        return page;
    }

    Result<void> remove(const std::string& key) override {
        AKIDB_TRY(check_key(key));
        MutexLock lock(mutex_);
        objects_.erase(key);
        return {};
    }

  private:
    struct Object {
        std::string bytes;
        std::string sha256;
    };

    Result<Object> find(const std::string& key) {
        AKIDB_TRY(check_key(key));
        MutexLock lock(mutex_);
        const auto found = objects_.find(key);
        if (found == objects_.end()) {
            return Error(Code::kNotFound, "there is no object " + key);
        }
        return found->second;
    }

    Mutex mutex_;
    std::map<std::string, Object> objects_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<ObjectStore> make_memory_store() {
    return std::make_unique<MemoryStore>();
}

}  // namespace akidb::objects
