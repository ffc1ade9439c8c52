#include "rest/json_reader.h"

#include <simdjson.h>

#include <array>
#include <cmath>

#include "base/printable.h"
#include "model/limits.h"
#include "rest/float_list.h"
#include "rest/nearest.h"

namespace akidb::rest {
namespace {

namespace ondemand = simdjson::ondemand;

/// Half a step above FLT_MAX: what rounds to infinity starts here.
constexpr double kFloatOverflow = 3.4028235677973366e38;

struct PathPart {
    std::string_view key;
    size_t index = 0;
    bool is_index = false;
};

std::string_view name_of(JsonType type) {
    constexpr std::array<std::string_view, 6> kNames{"an object", "an array",  "a string",
                                                     "a number",  "a boolean", "null"};
    return kNames[static_cast<size_t>(type)];
}

}  // namespace

struct JsonReader::Impl {
    explicit Impl(std::string& text) : body(text) {}

    Error malformed(const JsonReader& reader, simdjson::error_code code) const {
        switch (code) {
            case simdjson::EMPTY:
                return reader.error("the body is empty", "a JSON object");
            case simdjson::UTF8_ERROR:
                return reader.error("the body is not valid UTF-8", "JSON in UTF-8");
            case simdjson::MEMALLOC:
                return Error(Code::kInternal, "no memory to parse the body");
            case simdjson::NUMBER_ERROR:
                return reader.error("the number is malformed or out of range",
                                    "integers of 64 bits, finite doubles");
            default:
                return reader.error("the body is not well-formed JSON");
        }
    }

    std::string& body;
    ondemand::parser parser;
    ondemand::document document;
    ondemand::value current;
    std::vector<PathPart> path;
};

JsonReader::JsonReader(std::string& body) : impl_(std::make_unique<Impl>(body)) {}
JsonReader::~JsonReader() = default;

std::string JsonReader::path() const {
    std::string text;
    for (const PathPart& part : impl_->path) {
        if (part.is_index) {
            text.append("[").append(std::to_string(part.index)).append("]");
        } else {
            text.append(text.empty() ? "" : ".").append(printable(part.key));
        }
    }
    return text;
}

Error JsonReader::error(std::string message, std::string allowed) const {
    return invalid_argument(path(), std::move(message), std::move(allowed));
}

Result<JsonType> JsonReader::type() {
    ondemand::json_type found{};
    if (auto code = impl_->current.type().get(found)) {
        return impl_->malformed(*this, code);
    }
    switch (found) {
        case ondemand::json_type::object:
            return JsonType::kObject;
        case ondemand::json_type::array:
            return JsonType::kArray;
        case ondemand::json_type::string:
            return JsonType::kString;
        case ondemand::json_type::number:
            return JsonType::kNumber;
        case ondemand::json_type::boolean:
            return JsonType::kBool;
        case ondemand::json_type::null:
            return JsonType::kNull;
    }
    return error("the body is not well-formed JSON");
}

Result<void> JsonReader::expect(JsonType wanted, std::string_view described) {
    AKIDB_TRY(JsonType found, type());
    if (found != wanted) {
        return error("expected " + std::string(described) + ", found " + std::string(name_of(found)),
                     std::string(described));
    }
    return {};
}

Result<void> JsonReader::begin_body() {
    std::string& body = impl_->body;
    if (body.capacity() < body.size() + simdjson::SIMDJSON_PADDING) {
        body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    }
    simdjson::padded_string_view view(body.data(), body.size(), body.capacity());
    if (auto code = impl_->parser.iterate(view).get(impl_->document)) {
        return impl_->malformed(*this, code);
    }
    if (auto code = impl_->document.get_value().get(impl_->current)) {
        if (code == simdjson::SCALAR_DOCUMENT_AS_VALUE) {
            return error("the body must be a JSON object", "a JSON object");
        }
        return impl_->malformed(*this, code);
    }
    return {};
}

Result<void> JsonReader::end_body() {
    if (impl_->document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
        return error("there is text after the end of the JSON object", "one JSON object");
    }
    return {};
}

Result<void> JsonReader::read_body(std::span<const std::string_view> names,
                                   FunctionRef<Result<void>(size_t)> member) {
    AKIDB_TRY(begin_body());
    AKIDB_TRY(read_object(names, member));
    return end_body();
}

Result<void> JsonReader::read_body_map(FunctionRef<Result<void>(std::string_view)> member) {
    AKIDB_TRY(begin_body());
    AKIDB_TRY(read_map(member));
    return end_body();
}

Result<void> JsonReader::read_map(FunctionRef<Result<void>(std::string_view)> member) {
    AKIDB_TRY(expect(JsonType::kObject, "an object"));
    if (impl_->path.size() >= model::kJsonDepthMax) {
        return error("the JSON is nested too deep",
                     "at most " + std::to_string(model::kJsonDepthMax) + " levels");
    }
    ondemand::object object;
    if (auto code = impl_->current.get_object().get(object)) {
        return impl_->malformed(*this, code);
    }
    for (auto item : object) {
        ondemand::field field;
        if (auto code = std::move(item).get(field)) {
            return impl_->malformed(*this, code);
        }
        std::string_view key;
        if (auto code = field.unescaped_key().get(key)) {
            return impl_->malformed(*this, code);
        }
        impl_->path.push_back({.key = key});
        impl_->current = field.value();
        AKIDB_TRY(member(key));
        impl_->path.pop_back();
    }
    return {};
}

Result<void> JsonReader::read_object(std::span<const std::string_view> names,
                                     FunctionRef<Result<void>(size_t)> member) {
    uint64_t seen = 0;
    return read_map([&](std::string_view key) -> Result<void> {
        size_t which = 0;
        while (which < names.size() && names[which] != key) {
            ++which;
        }
        if (which == names.size()) {
            std::string message = "unknown field \"" + printable(key) + "\"";
            if (std::string_view near = nearest_name(key, names); !near.empty()) {
                message.append("; did you mean \"").append(near).append("\"?");
            }
            return error(std::move(message), join_names(names));
        }
        if ((seen >> which & 1) != 0) {
            return error("the field \"" + printable(key) + "\" is there twice");
        }
        seen |= uint64_t{1} << which;
        return member(which);
    });
}

Result<void> JsonReader::read_array(size_t items_max, FunctionRef<Result<void>(size_t)> item) {
    AKIDB_TRY(expect(JsonType::kArray, "an array"));
    if (impl_->path.size() >= model::kJsonDepthMax) {
        return error("the JSON is nested too deep",
                     "at most " + std::to_string(model::kJsonDepthMax) + " levels");
    }
    ondemand::array array;
    if (auto code = impl_->current.get_array().get(array)) {
        return impl_->malformed(*this, code);
    }
    size_t index = 0;
    for (auto found : array) {
        ondemand::value next;
        if (auto code = std::move(found).get(next)) {
            return impl_->malformed(*this, code);
        }
        if (index >= items_max) {
            return error("the list has too many items", "at most " + std::to_string(items_max) + " items");
        }
        impl_->path.push_back({.index = index, .is_index = true});
        impl_->current = next;
        AKIDB_TRY(item(index));
        impl_->path.pop_back();
        ++index;
    }
    return {};
}

Result<std::string_view> JsonReader::read_string() {
    AKIDB_TRY(expect(JsonType::kString, "a string"));
    std::string_view text;
    if (auto code = impl_->current.get_string().get(text)) {
        return impl_->malformed(*this, code);
    }
    return text;
}

Result<bool> JsonReader::read_bool() {
    AKIDB_TRY(expect(JsonType::kBool, "a boolean"));
    bool flag = false;
    if (auto code = impl_->current.get_bool().get(flag)) {
        return impl_->malformed(*this, code);
    }
    return flag;
}

Result<void> JsonReader::read_null() {
    AKIDB_TRY(expect(JsonType::kNull, "null"));
    bool is_null = false;
    if (simdjson::simdjson_result<bool>(impl_->current.is_null()).get(is_null) != simdjson::SUCCESS ||
        !is_null) {
        return error("the body is not well-formed JSON");
    }
    return {};
}

Result<JsonNumber> JsonReader::read_number() {
    AKIDB_TRY(expect(JsonType::kNumber, "a number"));
    // Not get_number(): with more than 19 digits and a fraction it loses the value (simdjson 3.0.1).
    ondemand::number_type kind{};
    if (auto code = impl_->current.get_number_type().get(kind)) {
        return impl_->malformed(*this, code);
    }
    switch (kind) {
        case ondemand::number_type::signed_integer:
            return read_as<int64_t>();
        case ondemand::number_type::unsigned_integer:
            return read_as<uint64_t>();
        default:
            return read_as<double>();
    }
}

template <class T>
Result<JsonNumber> JsonReader::read_as() {
    T number = 0;
    if (auto code = impl_->current.get<T>().get(number)) {
        return impl_->malformed(*this, code);
    }
    return JsonNumber(number);
}

Result<double> JsonReader::read_double() {
    AKIDB_TRY(expect(JsonType::kNumber, "a number"));
    double number = 0;
    if (auto code = impl_->current.get_double().get(number)) {
        return impl_->malformed(*this, code);
    }
    return number;
}

Result<uint64_t> JsonReader::read_uint(uint64_t min, uint64_t max) {
    std::string allowed = std::to_string(min) + ".." + std::to_string(max);
    AKIDB_TRY(JsonType found, type());
    if (found != JsonType::kNumber) {
        return error("expected a whole number, found " + std::string(name_of(found)), std::move(allowed));
    }
    uint64_t number = 0;
    if (impl_->current.get_uint64().get(number) != simdjson::SUCCESS) {
        return error("expected a whole number that is not negative and fits 64 bits", std::move(allowed));
    }
    if (number < min || number > max) {
        return error("the number is out of range", std::move(allowed));
    }
    return number;
}

Result<std::string_view> JsonReader::read_raw_object() {
    AKIDB_TRY(expect(JsonType::kObject, "an object"));
    ondemand::object object;
    if (auto code = impl_->current.get_object().get(object)) {
        return impl_->malformed(*this, code);
    }
    std::string_view raw;
    if (auto code = object.raw_json().get(raw)) {
        return impl_->malformed(*this, code);
    }
    return raw;
}

Result<void> JsonReader::read_floats(size_t items_max, std::vector<float>& out) {
    AKIDB_TRY(expect(JsonType::kArray, "an array of numbers"));
    // A value that was not touched is skipped by the object or array around it.
    if (read_float_list(impl_->current.raw_json_token().data(), items_max, out) != nullptr) {
        return {};
    }
    ondemand::array array;
    if (auto code = impl_->current.get_array().get(array)) {
        return impl_->malformed(*this, code);
    }
    size_t index = 0;
    for (auto item : array) {
        double number = 0;
        auto code = item.get_double().get(number);
        if (code == simdjson::SUCCESS && std::abs(number) < kFloatOverflow && index < items_max) [[likely]] {
            out.push_back(static_cast<float>(number));
            ++index;
            continue;
        }
        if (index >= items_max) {
            return error("the vector is too long", "at most " + std::to_string(items_max) + " numbers");
        }
        impl_->path.push_back({.index = index, .is_index = true});
        if (auto fault = std::move(item).get(impl_->current)) {
            return impl_->malformed(*this, fault);
        }
        AKIDB_TRY(expect(JsonType::kNumber, "a number"));
        return error("the number is malformed or not finite as a 32-bit float", "a finite 32-bit float");
    }
    return {};
}

}  // namespace akidb::rest
