#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <ctime>

#include "json_messages.h"

namespace akidb::scenarios {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

OrderedJson object_to_json(const Message& object);

/// As REST writes it: in milliseconds.
OrderedJson moment_to_json(const Message& moment) {
    const Reflection& reflection = *moment.GetReflection();
    const std::time_t seconds = reflection.GetInt64(moment, &field_of(moment, "seconds"));
    const int32_t nanos = reflection.GetInt32(moment, &field_of(moment, "nanos"));
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 40> text;
    const size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text.data() + length, text.size() - length, ".%03dZ", nanos / 1'000'000);
    return text.data();
}

OrderedJson scalar_to_json(const Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_UINT32:
            return reflection.GetUInt32(message, &field);
        case FieldDescriptor::CPPTYPE_UINT64:
            return reflection.GetUInt64(message, &field);
        case FieldDescriptor::CPPTYPE_INT64:
            return reflection.GetInt64(message, &field);
        case FieldDescriptor::CPPTYPE_DOUBLE:
            return reflection.GetDouble(message, &field);
        case FieldDescriptor::CPPTYPE_FLOAT:
            return reflection.GetFloat(message, &field);
        case FieldDescriptor::CPPTYPE_BOOL:
            return reflection.GetBool(message, &field);
        case FieldDescriptor::CPPTYPE_STRING:
            return reflection.GetString(message, &field);
        case FieldDescriptor::CPPTYPE_ENUM:
            return lower(
                reflection.GetEnum(message, &field)->name().substr(prefix_of(*field.enum_type()).size()));
        default:
            return to_json(reflection.GetMessage(message, &field));
    }
}

OrderedJson value_to_json(const Message& value) {
    const FieldDescriptor* kind =
        value.GetReflection()->GetOneofFieldDescriptor(value, value.GetDescriptor()->oneof_decl(0));
    if (kind == nullptr || kind->name() == "null_value") {
        return nullptr;
    }
    if (kind->name() == "list_value") {
        return to_json(value.GetReflection()->GetMessage(value, kind)).at("values");
    }
    return scalar_to_json(value, *kind);
}

OrderedJson object_to_json(const Message& object) {
    OrderedJson json = OrderedJson::object();
    const FieldDescriptor& members = field_of(object, "members");
    for (int i = 0; i < object.GetReflection()->FieldSize(object, &members); ++i) {
        const Message& member = object.GetReflection()->GetRepeatedMessage(object, &members, i);
        json[scalar_to_json(member, field_of(member, "key")).get<std::string>()] =
            value_to_json(member.GetReflection()->GetMessage(member, &field_of(member, "value")));
    }
    return json;
}

OrderedJson repeated_to_json(const Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    const bool is_map = field.name() == "metadata_indexes" || field.name() == "vectors";
    OrderedJson json = is_map ? OrderedJson::object() : OrderedJson::array();
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
        if (field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
            json.push_back(reflection.GetRepeatedFloat(message, &field, i));
        } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
            json.push_back(reflection.GetRepeatedString(message, &field, i));
        } else if (field.name() == "metadata_indexes") {
            OrderedJson index = to_json(reflection.GetRepeatedMessage(message, &field, i));
            const std::string name = index["field"];
            index.erase("field");
            json[name] = std::move(index);
        } else if (is_map) {
            OrderedJson vector = to_json(reflection.GetRepeatedMessage(message, &field, i));
            const std::string name = vector["name"];
            vector.erase("name");
            json[name] = vector.contains("vector") ? vector["vector"] : std::move(vector);
        } else {
            json.push_back(to_json(reflection.GetRepeatedMessage(message, &field, i)));
        }
    }
    return json;
}

/// Of a collection that has no vector without a name, what would be said of it; and no bytes in answers.
bool is_unsaid(const Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    return field.name() == "vector_bytes" ||
           (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM &&
            reflection.GetEnum(message, &field)->number() == 0) ||
           (field.name() == "dimension" && reflection.GetUInt32(message, &field) == 0);
}

}  // namespace

OrderedJson to_json(const Message& message) {
    const Descriptor& type = *message.GetDescriptor();
    if (type.name() == "Timestamp") {
        return moment_to_json(message);
    }
    if (type.name() == "Object") {
        return object_to_json(message);
    }
    if (type.name() == "Value") {
        return value_to_json(message);
    }
    const Reflection& reflection = *message.GetReflection();
    if (type.name() == "DocumentId") {
        return scalar_to_json(message, *reflection.GetOneofFieldDescriptor(message, type.oneof_decl(0)));
    }
    OrderedJson json = OrderedJson::object();
    for (int i = 0; i < type.field_count(); ++i) {
        const FieldDescriptor& field = *type.field(i);
        if (field.is_repeated()) {
            const bool is_left_out =
                field.name() == "vector" || field.name() == "vectors" || field.name() == "ids";
            if (!is_left_out || reflection.FieldSize(message, &field) > 0) {
                json[field.name()] = repeated_to_json(message, field);
            }
        } else if (!is_unsaid(message, field) &&
                   (!field.has_presence() || reflection.HasField(message, &field))) {
            json[field.name()] = scalar_to_json(message, field);
        }
    }
    return json;
}

}  // namespace akidb::scenarios
