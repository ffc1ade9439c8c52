// ByteWriter and ByteReader: little-endian integers, floats and length-prefixed strings into and out of byte
// buffers. The reader checks every length against what is left before it touches or allocates anything (a
// length read from disk or network is hostile until proven small); after its first failure it stays failed
// and returns zeros. Thread-compatible.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace akidb {

static_assert(std::endian::native == std::endian::little,
              "the file formats are little-endian and copied as they are");

inline std::span<const std::byte> as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ByteWriter {
  public:
    explicit ByteWriter(std::string& out) : out_(out) {}

    template <class T>
    requires(std::is_arithmetic_v<T>) void put(T value) {
        char raw[sizeof(T)];
        std::memcpy(raw, &value, sizeof(T));
        out_.append(raw, sizeof(T));
    }
    void put_bytes(std::string_view bytes) { out_.append(bytes); }
    /// u32 length, then the bytes.
    void put_string(std::string_view bytes) {
        put(static_cast<uint32_t>(bytes.size()));
        out_.append(bytes);
    }
    void put_floats(std::span<const float> values) {
        out_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    }
    size_t size() const { return out_.size(); }

  private:
    std::string& out_;
};

class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

    template <class T>
    requires(std::is_arithmetic_v<T>) T get() {
        T value{};
        if (std::string_view raw = get_bytes(sizeof(T)); !failed_) {
            std::memcpy(&value, raw.data(), sizeof(T));
        }
        return value;
    }
    /// A view into the buffer, or empty and failed.
    std::string_view get_bytes(uint64_t count) {
        if (failed_ || count > bytes_.size()) {
            failed_ = true;
            return {};
        }
        std::string_view taken = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return taken;
    }
    std::string_view get_string() { return get_bytes(get<uint32_t>()); }
    size_t remaining() const { return bytes_.size(); }
    bool failed() const { return failed_; }
    /// True when nothing failed and nothing is left.
    bool finished() const { return !failed_ && bytes_.empty(); }

  private:
    std::string_view bytes_;
    bool failed_ = false;
};

}  // namespace akidb
