#include "base/uuid.h"

namespace akidb {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool is_dash_position(size_t position) {
    return position == 8 || position == 13 || position == 18 || position == 23;
}

}  // namespace

std::string Uuid::to_string() const {
    std::string text;
    text.reserve(36);
    for (uint8_t byte : bytes) {
        if (is_dash_position(text.size())) {
            text.push_back('-');
        }
        text.push_back(kHex[byte >> 4]);
        text.push_back(kHex[byte & 15]);
    }
    return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() != 36) {
        return std::nullopt;
    }
    Uuid uuid;
    size_t nibble = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (is_dash_position(i)) {
            if (text[i] != '-') {
                return std::nullopt;
            }
            continue;
        }
        const int value = hex_value(text[i]);
        if (value < 0) {
            return std::nullopt;
        }
        uint8_t& byte = uuid.bytes[nibble / 2];
        byte = static_cast<uint8_t>((byte << 4) | value);
        ++nibble;
    }
    return uuid;
}

Uuid make_uuid_v7(uint64_t unix_ms, uint64_t random_high, uint64_t random_low) {
    Uuid uuid;
    for (size_t i = 0; i < 6; ++i) {
        uuid.bytes[i] = static_cast<uint8_t>(unix_ms >> (40 - 8 * i));
    }
    uuid.bytes[6] = static_cast<uint8_t>(0x70 | (random_high & 0x0f));
    uuid.bytes[7] = static_cast<uint8_t>(random_high >> 8);
    for (size_t i = 0; i < 8; ++i) {
        uuid.bytes[8 + i] = static_cast<uint8_t>(random_low >> (56 - 8 * i));
    }
    uuid.bytes[8] = static_cast<uint8_t>(0x80 | (uuid.bytes[8] & 0x3f));
    return uuid;
}

}  // namespace akidb
