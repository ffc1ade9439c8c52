// JsonWriter: appends compact JSON to one string, front to back; it places the commas and escapes the
// strings. Numbers are the shortest text that reads back as the same value (std::to_chars, Ryu); a double
// that happens to be whole keeps
// ".0", so that it stays a double. Strings must be UTF-8 (every string of ours was checked on its way in);
// control characters are escaped. Not finite numbers become null. Thread-compatible.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace akidb::rest {

class JsonWriter {
  public:
    JsonWriter() = default;
    explicit JsonWriter(size_t bytes_expected) { out_.reserve(bytes_expected); }

    JsonWriter& begin_object();
    JsonWriter& end_object();
    JsonWriter& begin_array();
    JsonWriter& end_array();
    JsonWriter& key(std::string_view key);

    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(bool flag);
    JsonWriter& value(uint64_t number);
    JsonWriter& value(int64_t number);
    JsonWriter& value(uint32_t number) { return value(uint64_t{number}); }
    JsonWriter& value(float number);
    JsonWriter& value(double number);
    JsonWriter& null();
    /// JSON that was checked on its way in.
    JsonWriter& raw(std::string_view json);
    JsonWriter& floats(std::span<const float> numbers);

    template <class T>
    JsonWriter& member(std::string_view name, const T& content) {
        return key(name).value(content);
    }

    const std::string& text() const { return out_; }
    std::string take() && { return std::move(out_); }

  private:
    void separate();
    void quote(std::string_view text);

    std::string out_;
    bool needs_comma_ = false;
};

}  // namespace akidb::rest
