// ForwardingStore: what decorators of an ObjectStore have in common: every call goes to the store behind,
// through the decorator's own around(bytes, call), where `bytes` is what the call sends or reads, as far as
// that is known before, and `call` may be called any number of times. Thread-safe as the decorator is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "objects/object_store.h"

namespace akidb::objects {

template <class Decorator>
class ForwardingStore : public ObjectStore {
  public:
    explicit ForwardingStore(ObjectStore& store) : store_(store) {}

    Result<void> put(const std::string& key, std::string_view bytes, PutMode mode) override {
        return self().around(bytes.size(), [&] { return store_.put(key, bytes, mode); });
    }
    Result<void> put_file(const std::string& key, const FileToPut& source) override {
        return self().around(source.bytes, [&] { return store_.put_file(key, source); });
    }
    Result<std::string> get(const std::string& key, uint64_t bytes_max) override {
        return self().around(0, [&] { return store_.get(key, bytes_max); });
    }
    Result<std::string> get_range(const std::string& key, ByteRange range) override {
        return self().around(range.count, [&] { return store_.get_range(key, range); });
    }
    Result<ObjectFacts> head(const std::string& key) override {
        return self().around(0, [&] { return store_.head(key); });
    }
    Result<ObjectPage> list(const ListRequest& request) override {
        return self().around(0, [&] { return store_.list(request); });
    }
    Result<void> remove(const std::string& key) override {
        return self().around(0, [&] { return store_.remove(key); });
    }

  protected:
    ObjectStore& store_;

  private:
    Decorator& self() { return static_cast<Decorator&>(*this); }
};

}  // namespace akidb::objects
