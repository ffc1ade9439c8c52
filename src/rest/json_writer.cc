#include "rest/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace akidb::rest {
namespace {

constexpr size_t kNumberTextMax = 32;  // the longest shortest double has 24 characters

template <class T>
void append_number(std::string& out, T number) {
    std::array<char, kNumberTextMax> text;
    auto [end, fault] = std::to_chars(text.data(), text.data() + text.size(), number);
    out.append(text.data(), end);
}

void append_float(std::string& out, float number) {
    if (std::isfinite(number)) {
        append_number(out, number);
    } else {
        out.append("null");
    }
}

}  // namespace

void JsonWriter::separate() {
    if (needs_comma_) {
        out_.push_back(',');
    }
    needs_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
    separate();
    out_.push_back('{');
    needs_comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::end_object() {
    out_.push_back('}');
    needs_comma_ = true;
    return *this;
}

JsonWriter& JsonWriter::begin_array() {
    separate();
    out_.push_back('[');
    needs_comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::end_array() {
    out_.push_back(']');
    needs_comma_ = true;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view key) {
    separate();
    quote(key);
    out_.push_back(':');
    needs_comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    quote(text);
    return *this;
}

JsonWriter& JsonWriter::value(bool flag) {
    separate();
    out_.append(flag ? "true" : "false");
    return *this;
}

JsonWriter& JsonWriter::value(uint64_t number) {
    separate();
    append_number(out_, number);
    return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    out_.append(json);
    return *this;
}

JsonWriter& JsonWriter::value(int64_t number) {
    separate();
    append_number(out_, number);
    return *this;
}

JsonWriter& JsonWriter::value(float number) {
    separate();
    append_float(out_, number);
    return *this;
}

JsonWriter& JsonWriter::value(double number) {
    if (!std::isfinite(number)) {
        return null();
    }
    separate();
    size_t start = out_.size();
    append_number(out_, number);
    if (out_.find_first_of(".e", start) == std::string::npos) {
        out_.append(".0");
    }
    return *this;
}

JsonWriter& JsonWriter::null() {
    separate();
    out_.append("null");
    return *this;
}

JsonWriter& JsonWriter::floats(std::span<const float> numbers) {
    separate();
    out_.push_back('[');
    for (size_t i = 0; i < numbers.size(); ++i) {
        if (i != 0) {
            out_.push_back(',');
        }
        append_float(out_, numbers[i]);
    }
    out_.push_back(']');
    return *this;
}

void JsonWriter::quote(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out_.push_back('"');
    size_t plain = 0;  // start of what was not copied yet
    for (size_t i = 0; i < text.size(); ++i) {
        auto byte = static_cast<unsigned char>(text[i]);
        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f) {
            continue;
        }
        out_.append(text.substr(plain, i - plain));
        plain = i + 1;
        switch (byte) {
            case '"':
                out_.append("\\\"");
                break;
            case '\\':
                out_.append("\\\\");
                break;
            case '\n':
                out_.append("\\n");
                break;
            case '\r':
                out_.append("\\r");
                break;
            case '\t':
                out_.append("\\t");
                break;
            default:
                out_.append("\\u00");
                out_.push_back(kHex[byte >> 4]);
                out_.push_back(kHex[byte & 15]);
        }
    }
    out_.append(text.substr(plain));
    out_.push_back('"');
}

}  // namespace akidb::rest
