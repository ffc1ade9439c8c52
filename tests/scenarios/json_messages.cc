#include "json_messages.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <optional>

#include "model/moment.h"

namespace akidb::scenarios {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

[[noreturn]] void refuse(const std::string& why) {
    throw NotExpressible(why);
}

Message& child(Message& message, const std::string& name) {
    return *message.GetReflection()->MutableMessage(&message, &field_of(message, name));
}

Message& added(Message& message, const std::string& name) {
    return *message.GetReflection()->AddMessage(&message, &field_of(message, name));
}

void set_text(Message& message, const std::string& name, const std::string& text) {
    message.GetReflection()->SetString(&message, &field_of(message, name), text);
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
}

template <class Number>
Number whole(const OrderedJson& json) {
    if (!json.is_number_unsigned() || json.get<uint64_t>() > std::numeric_limits<Number>::max()) {
        refuse("not a whole number of this size: " + json.dump());
    }
    return json.get<Number>();
}

double number(const OrderedJson& json) {
    if (!json.is_number()) {
        refuse("not a number: " + json.dump());
    }
    return json.get<double>();
}

void fill_id(Message& id, const OrderedJson& json) {
    if (json.is_string()) {
        set_text(id, "text", json.get<std::string>());
    } else {
        id.GetReflection()->SetUInt64(&id, &field_of(id, "number"), whole<uint64_t>(json));
    }
}

void fill_object(Message& object, const OrderedJson& json);

void fill_value(Message& value, const OrderedJson& json) {
    const Reflection& reflection = *value.GetReflection();
    if (json.is_null()) {
        reflection.SetEnumValue(&value, &field_of(value, "null_value"), 0);
    } else if (json.is_boolean()) {
        reflection.SetBool(&value, &field_of(value, "bool_value"), json.get<bool>());
    } else if (json.is_number_unsigned() && json.get<uint64_t>() > std::numeric_limits<int64_t>::max()) {
        reflection.SetUInt64(&value, &field_of(value, "uint_value"), json.get<uint64_t>());
    } else if (json.is_number_integer()) {
        reflection.SetInt64(&value, &field_of(value, "int_value"), json.get<int64_t>());
    } else if (json.is_number()) {
        reflection.SetDouble(&value, &field_of(value, "double_value"), json.get<double>());
    } else if (json.is_string()) {
        set_text(value, "string_value", json.get<std::string>());
    } else if (json.is_array()) {
        Message& list = child(value, "list_value");
        for (const OrderedJson& item : json) {
            fill_value(added(list, "values"), item);
        }
    } else {
        fill_object(child(value, "object_value"), json);
    }
}

void fill_object(Message& object, const OrderedJson& json) {
    if (!json.is_object()) {
        refuse("metadata is an object");
    }
    for (const auto& [key, value] : json.items()) {
        Message& member = added(object, "members");
        set_text(member, "key", key);
        fill_value(child(member, "value"), value);
    }
}

void fill_list(Message& list, const OrderedJson& json) {
    if (!json.is_array()) {
        refuse("not a list: " + json.dump());
    }
    for (const OrderedJson& item : json) {
        fill_value(added(list, "values"), item);
    }
}

void fill_match(Message& match, const OrderedJson& json) {
    if (!json.is_object() || json.size() > 1) {
        refuse("a match is one of several");
    }
    for (const auto& [key, value] : json.items()) {
        if (key == "value") {
            fill_value(child(match, "value"), value);
        } else if (key == "any" || key == "except") {
            fill_list(child(match, key), value);
        } else {
            fill(match, {{key, value}});
        }
    }
}

void fill_range(Message& condition, const OrderedJson& json) {
    if (!json.is_object()) {
        refuse("a range is an object");
    }
    const bool is_time =
        std::any_of(json.begin(), json.end(), [](const auto& one) { return one.is_string(); });
    fill(child(condition, is_time ? "time_range" : "range"), json);
}

void fill_filter(Message& filter, const OrderedJson& json);

void fill_condition(Message& condition, const OrderedJson& json) {
    if (!json.is_object()) {
        refuse("a condition is an object");
    }
    const bool is_filter = json.contains("must") || json.contains("should") || json.contains("must_not") ||
                           json.contains("min_should");
    if (is_filter) {
        fill_filter(child(condition, "filter"), json);
        return;
    }
    // What protobuf cannot tell apart: two conditions in one, and a key that is missing from one that is
    // empty.
    const auto conditions = json.size() - (json.contains("key") ? 1 : 0);
    const bool wants_key = json.contains("match") || json.contains("range") ||
                           (json.contains("is_empty") && !json["is_empty"].contains("key")) ||
                           (json.contains("is_null") && !json["is_null"].contains("key"));
    if (conditions > 1 || (wants_key && !json.contains("key"))) {
        refuse("a condition is one of several, and has a key");
    }
    for (const auto& [key, value] : json.items()) {
        if (key == "key" && value.is_string()) {
            set_text(condition, "key", value.get<std::string>());
        } else if (key == "match") {
            fill_match(child(condition, "match"), value);
        } else if (key == "range") {
            fill_range(condition, value);
        } else if (key == "has_id") {
            fill(child(condition, "has_id"), {{"ids", value}});
        } else {
            fill(condition, {{key, value}});
        }
    }
}

void fill_min_should(Message& wanted, const OrderedJson& json) {
    for (const auto& [name, value] : json.items()) {
        if (name != "conditions" || !value.is_array()) {
            fill(wanted, {{name, value}});
            continue;
        }
        for (const OrderedJson& condition : value) {
            fill_condition(added(wanted, name), condition);
        }
    }
}

void fill_filter(Message& filter, const OrderedJson& json) {
    for (const auto& [name, clause] : json.items()) {
        const FieldDescriptor& field = field_of(filter, name);
        if (!field.is_repeated()) {
            fill_min_should(child(filter, name), clause);
            continue;
        }
        if (clause.is_array()) {
            for (const OrderedJson& condition : clause) {
                fill_condition(added(filter, name), condition);
            }
        } else {
            fill_condition(added(filter, name), clause);
        }
    }
}

void fill_include(Message& include, const OrderedJson& json) {
    if (!json.is_array()) {
        refuse("include is a list");
    }
    for (const OrderedJson& part : json) {
        if (!part.is_string()) {
            refuse("include is a list of names");
        }
        const std::string name = part.get<std::string>();
        constexpr std::string_view kOfNames = "vectors.";
        if (name.starts_with(kOfNames)) {
            include.GetReflection()->AddString(&include, &field_of(include, "vectors"),
                                               name.substr(kOfNames.size()));
            continue;
        }
        const FieldDescriptor& field = field_of(include, name);
        if (field.is_repeated()) {
            refuse("include has no part " + name);
        }
        include.GetReflection()->SetBool(&include, &field, true);
    }
}

void fill_enum(Message& message, const FieldDescriptor& field, const OrderedJson& json) {
    const EnumDescriptor& type = *field.enum_type();
    const auto* value =
        json.is_string() ? type.FindValueByName(prefix_of(type) + upper(json.get<std::string>())) : nullptr;
    if (value == nullptr) {
        refuse("no value of " + type.name() + ": " + json.dump());
    }
    message.GetReflection()->SetEnum(&message, &field, value);
}

void fill_moment(Message& moment, const OrderedJson& json) {
    const auto microseconds =
        json.is_string() ? model::parse_moment(json.get<std::string>()) : std::optional<int64_t>();
    if (!microseconds) {
        refuse("not a time: " + json.dump());
    }
    constexpr int64_t kPerSecond = 1'000'000;
    const int64_t rest = (*microseconds % kPerSecond + kPerSecond) % kPerSecond;
    const Reflection& reflection = *moment.GetReflection();
    reflection.SetInt64(&moment, &field_of(moment, "seconds"), (*microseconds - rest) / kPerSecond);
    reflection.SetInt32(&moment, &field_of(moment, "nanos"), static_cast<int32_t>(rest * 1000));
}

void fill_message(Message& message, const OrderedJson& json) {
    const std::string& type = message.GetDescriptor()->name();
    if (type == "DocumentId") {
        fill_id(message, json);
    } else if (type == "Example" && json.is_array()) {
        fill(child(message, "vector"), {{"values", json}});
    } else if (type == "Example") {
        fill_id(child(message, "id"), json);
    } else if (type == "Timestamp") {
        fill_moment(message, json);
    } else if (type == "Object") {
        fill_object(message, json);
    } else if (type == "Include") {
        fill_include(message, json);
    } else if (!json.is_object()) {
        refuse(type + " is an object");
    } else if (type == "Filter") {
        fill_filter(message, json);
    } else {
        fill(message, json);
    }
}

void fill_scalar(Message& message, const FieldDescriptor& field, const OrderedJson& json) {
    const Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_UINT32:
            return reflection.SetUInt32(&message, &field, whole<uint32_t>(json));
        case FieldDescriptor::CPPTYPE_UINT64:
            return reflection.SetUInt64(&message, &field, whole<uint64_t>(json));
        case FieldDescriptor::CPPTYPE_DOUBLE:
            return reflection.SetDouble(&message, &field, number(json));
        case FieldDescriptor::CPPTYPE_FLOAT:
            return reflection.SetFloat(&message, &field, static_cast<float>(number(json)));
        case FieldDescriptor::CPPTYPE_BOOL:
            return json.is_boolean() ? reflection.SetBool(&message, &field, json.get<bool>())
                                     : refuse("not a boolean: " + json.dump());
        case FieldDescriptor::CPPTYPE_STRING:
            return json.is_string() ? reflection.SetString(&message, &field, json.get<std::string>())
                                    : refuse("not a text: " + json.dump());
        case FieldDescriptor::CPPTYPE_ENUM:
            return fill_enum(message, field, json);
        case FieldDescriptor::CPPTYPE_MESSAGE:
            return fill_message(child(message, field.name()), json);
        default:
            refuse("a type that requests do not have");
    }
}

/// Null is among those that are unset.
void fill_settings(Message& message, const OrderedJson& json) {
    for (const auto& [name, value] : json.items()) {
        field_of(child(message, "settings"), name);
        if (value.is_null()) {
            message.GetReflection()->AddString(&message, &field_of(message, "unset"), name);
        } else {
            fill(child(message, "settings"), {{name, value}});
        }
    }
}

/// Vectors, or what they are to be.
void fill_by_names(Message& message, const OrderedJson& json) {
    if (!json.is_object()) {
        refuse("vectors are an object");
    }
    for (const auto& [name, value] : json.items()) {
        Message& named = added(message, "vectors");
        fill(named, value.is_array() ? OrderedJson{{"vector", value}} : value);
        set_text(named, "name", name);
    }
}

void fill_repeated(Message& message, const FieldDescriptor& field, const OrderedJson& json) {
    if (field.name() == "metadata_indexes" && json.is_object()) {
        for (const auto& [key, type] : json.items()) {
            if (type.is_null()) {
                const FieldDescriptor& removed = field_of(message, "removed_metadata_indexes");
                message.GetReflection()->AddString(&message, &removed, key);
                continue;
            }
            Message& index = added(message, field.name());
            set_text(index, "field", key);
            fill_enum(index, field_of(index, "type"), type);
        }
        return;
    }
    if (field.name() == "vectors") {
        return fill_by_names(message, json);
    }
    if (!json.is_array()) {
        refuse(field.name() + " is a list");
    }
    for (const OrderedJson& item : json) {
        if (field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
            message.GetReflection()->AddFloat(&message, &field, static_cast<float>(number(item)));
        } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
            if (!item.is_string()) {
                refuse(field.name() + " is a list of texts");
            }
            message.GetReflection()->AddString(&message, &field, item.get<std::string>());
        } else {
            fill_message(added(message, field.name()), item);
        }
    }
}

}  // namespace

std::string prefix_of(const EnumDescriptor& type) {
    const std::string first = type.value(0)->name();
    return first.substr(0, first.size() - std::string("UNSPECIFIED").size());
}

void fill(Message& message, const OrderedJson& json) {
    for (const auto& [name, value] : json.items()) {
        if (name == "expires_at" && value.is_null()) {
            if (message.GetDescriptor()->FindFieldByName("never_expires") != nullptr) {
                fill(message, {{"never_expires", true}});
            }
            continue;
        }
        if (name == "settings" && value.is_object()) {
            fill_settings(message, value);
            continue;
        }
        const FieldDescriptor& field = field_of(message, name);
        field.is_repeated() ? fill_repeated(message, field, value) : fill_scalar(message, field, value);
    }
}

const FieldDescriptor& field_of(const Message& message, const std::string& name) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr) {
        refuse(message.GetDescriptor()->name() + " has no field " + name);
    }
    return *field;
}

}  // namespace akidb::scenarios
