#include "storage/layout.h"

#include <charconv>

namespace akidb::storage {
namespace {

constexpr size_t kDigits = 20;  // enough for any u64
constexpr std::string_view kManifestPrefix = "MANIFEST-";
constexpr std::string_view kLogSuffix = ".log";

std::string padded(uint64_t number) {
    std::string digits = std::to_string(number);
    return std::string(kDigits - digits.size(), '0') + digits;
}

std::optional<uint64_t> parse_padded(std::string_view digits) {
    uint64_t number = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    bool is_whole = error == std::errc() && end == digits.data() + digits.size();
    return digits.size() == kDigits && is_whole ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string manifest_name(uint64_t version) {
    return std::string(kManifestPrefix) + padded(version);
}

std::optional<uint64_t> parse_manifest_name(std::string_view name) {
    if (!name.starts_with(kManifestPrefix)) {
        return std::nullopt;
    }
    return parse_padded(name.substr(kManifestPrefix.size()));
}

std::string log_name(uint64_t first_sequence) {
    return padded(first_sequence) + std::string(kLogSuffix);
}

std::optional<uint64_t> parse_log_name(std::string_view name) {
    if (!name.ends_with(kLogSuffix)) {
        return std::nullopt;
    }
    return parse_padded(name.substr(0, name.size() - kLogSuffix.size()));
}

std::string rows_name(uint64_t first_row, uint64_t row_count, uint64_t version) {
    return padded(first_row) + "-" + padded(row_count) + "-" + padded(version) + ".rows";
}

std::string graph_name(uint64_t version) {
    return padded(version) + ".graph";
}

std::string graph_name(uint64_t version, size_t index) {
    return padded(version) + "-" + padded(index) + ".graph";
}

std::string dead_name(uint64_t version) {
    return padded(version) + ".dead";
}

std::string keys_name(uint64_t version) {
    return padded(version) + ".keys";
}

bool is_collection_file(std::string_view name) {
    const size_t slash = name.find('/');
    if (slash == std::string_view::npos) {
        return parse_manifest_name(name).has_value();
    }
    const std::string_view file = name.substr(slash + 1);
    if (name.substr(0, slash) == kLogDirectory) {
        return parse_log_name(file).has_value();
    }
    const size_t dot = file.find('.');
    if (name.substr(0, slash) != kSegmentDirectory || dot == std::string_view::npos) {
        return false;
    }
    const std::string_view stem = file.substr(0, dot);
    const std::string_view suffix = file.substr(dot);
    if (suffix == ".rows") {
        constexpr size_t kStep = kDigits + 1;
        return stem.size() == 3 * kDigits + 2 && stem[kDigits] == '-' && stem[kDigits + kStep] == '-' &&
               parse_padded(stem.substr(0, kDigits)) && parse_padded(stem.substr(kStep, kDigits)) &&
               parse_padded(stem.substr(2 * kStep));
    }
    if (suffix == ".graph" && stem.size() == 2 * kDigits + 1) {
        return stem[kDigits] == '-' && parse_padded(stem.substr(0, kDigits)) &&
               parse_padded(stem.substr(kDigits + 1));
    }
    return (suffix == ".graph" || suffix == ".dead" || suffix == ".keys") && parse_padded(stem).has_value();
}

std::string lost_name(uint64_t version) {
    return padded(version);
}

}  // namespace akidb::storage
