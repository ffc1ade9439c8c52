#include "objects/aws_signature.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "objects/sha256.h"

namespace akidb::objects {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string_view text_of(const Sha256Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string joined(std::initializer_list<std::string_view> parts, char between) {
    std::string text;
    for (const std::string_view* part = parts.begin(); part != parts.end(); ++part) {
        if (part != parts.begin()) {
            text += between;
        }
        text += *part;
    }
    return text;
}

}  // namespace

std::string amz_date(uint64_t unix_ms) {
    const std::chrono::sys_time<std::chrono::milliseconds> moment{std::chrono::milliseconds(unix_ms)};
    const auto day = std::chrono::floor<std::chrono::days>(moment);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(moment - day));
    char text[40];
    std::snprintf(text, sizeof(text), "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    return text;
}

std::string uri_encoded(std::string_view text, Slash slash) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char letter : text) {
        const bool is_kept = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                             (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' ||
                             letter == '_' || letter == '~' || (letter == '/' && slash == Slash::kKept);
        if (is_kept) {
            encoded.push_back(letter);
            continue;
        }
        const auto byte = static_cast<unsigned char>(letter);
        encoded.push_back('%');
        encoded.push_back(kDigits[byte >> 4]);
        encoded.push_back(kDigits[byte & 15]);
    }
    return encoded;
}

std::string canonical_query(const TextPairs& query) {
    TextPairs encoded;
    for (const auto& [name, value] : query) {
        encoded.emplace_back(uri_encoded(name, Slash::kEncoded), uri_encoded(value, Slash::kEncoded));
    }
    std::sort(encoded.begin(), encoded.end());
    std::string text;
    for (const auto& [name, value] : encoded) {
        text += text.empty() ? "" : "&";
        text += name;
        text += '=';
        text += value;
    }
    return text;
}

std::string authorization(const RequestToSign& request, const Credentials& credentials) {
    TextPairs headers = request.headers;
    std::sort(headers.begin(), headers.end());
    std::string lines;
    std::string names;
    for (const auto& [name, value] : headers) {
        lines += name;
        lines += ':';
        lines += trimmed(value);
        lines += '\n';
        names += names.empty() ? "" : ";";
        names += name;
    }
    const std::string canonical = joined(
        {request.method, request.path, canonical_query(request.query), lines, names, request.payload_sha256},
        '\n');
    const std::string date = amz_date(request.unix_ms);
    const std::string day = date.substr(0, 8);
    const std::string scope = joined({day, request.region, request.service, "aws4_request"}, '/');
    const std::string to_sign = joined({kAlgorithm, date, scope, sha256_hex(canonical)}, '\n');
    const Secret first("AWS4" + credentials.secret_key.reveal());
    const Sha256Digest of_day = hmac_sha256(first.reveal(), day);
    const Sha256Digest of_region = hmac_sha256(text_of(of_day), request.region);
    const Sha256Digest of_service = hmac_sha256(text_of(of_region), request.service);
    const Sha256Digest key = hmac_sha256(text_of(of_service), "aws4_request");
    return std::string(kAlgorithm) + " Credential=" + credentials.access_key + "/" + scope +
           ", SignedHeaders=" + names + ", Signature=" + hex(hmac_sha256(text_of(key), to_sign));
}

}  // namespace akidb::objects
