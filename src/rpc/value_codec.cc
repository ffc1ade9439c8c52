#include "rpc/value_codec.h"

#include "base/printable.h"
#include "rpc/message.h"

namespace akidb::rpc {
namespace {

/// Writes protobuf values into the encoding. Depth is bounded by the writer, so recursion is safe.
class MetadataReader {
  public:
    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> put(const v1::Object& object) {
        AKIDB_TRY(check_known(object));
        writer_.begin_object();
        AKIDB_TRY(check_limits());
        for (const v1::Object::Member& member : object.members()) {
            writer_.key(member.key());
            Result<void> done = check_known(member);
            if (done) {
                done = put(member.value());
            }
            if (!done) {
                return std::move(done).error().with_field_prefix(printable(member.key()));
            }
        }
        writer_.end();
        return check_limits();
    }

    Result<std::string> finish() && { return std::move(writer_).finish(); }

  private:
    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> put(const v1::ListValue& list) {
        AKIDB_TRY(check_known(list));
        writer_.begin_array();
        AKIDB_TRY(check_limits());
        for (int i = 0; i < list.values_size(); ++i) {
            if (Result<void> done = put(list.values(i)); !done) {
                return in_list(std::move(done).error(), "", static_cast<size_t>(i));
            }
        }
        writer_.end();
        return check_limits();
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    Result<void> put(const v1::Value& value) {
        AKIDB_TRY(check_known(value));
        switch (value.kind_case()) {
            case v1::Value::kNullValue:
                writer_.put_null();
                break;
            case v1::Value::kBoolValue:
                writer_.put_bool(value.bool_value());
                break;
            case v1::Value::kIntValue:
                writer_.put_int(value.int_value());
                break;
            case v1::Value::kUintValue:
                writer_.put_uint(value.uint_value());
                break;
            case v1::Value::kDoubleValue:
                writer_.put_double(value.double_value());
                break;
            case v1::Value::kStringValue:
                writer_.put_string(value.string_value());
                break;
            case v1::Value::kListValue:
                return put(value.list_value());
            case v1::Value::kObjectValue:
                return put(value.object_value());
            case v1::Value::KIND_NOT_SET:
                return invalid_argument("", "the value has no kind", "one of the kinds of a Value");
        }
        return check_limits();
    }

    /// The writer knows the limit that broke, we know where.
    Result<void> check_limits() {
        if (!writer_.failed()) [[likely]] {
            return {};
        }
        return std::move(std::move(writer_).finish()).error().with_field("");
    }

    model::MetadataWriter writer_;
};

// NOLINTNEXTLINE(misc-no-recursion): metadata has a bounded depth.
void write_value(model::MetadataView from, v1::Value& to) {
    switch (from.type()) {
        case model::MetadataType::kNull:
            to.set_null_value(v1::NULL_VALUE);
            break;
        case model::MetadataType::kFalse:
            to.set_bool_value(false);
            break;
        case model::MetadataType::kTrue:
            to.set_bool_value(true);
            break;
        case model::MetadataType::kInt:
            to.set_int_value(from.as_int());
            break;
        case model::MetadataType::kUint:
            to.set_uint_value(from.as_uint());
            break;
        case model::MetadataType::kDouble:
            to.set_double_value(from.as_double());
            break;
        case model::MetadataType::kString: {
            const std::string_view text = from.as_string();
            to.set_string_value(text.data(), text.size());
            break;
        }
        case model::MetadataType::kArray: {
            v1::ListValue& list = *to.mutable_list_value();
            list.mutable_values()->Reserve(static_cast<int>(from.size()));
            from.for_each([&](std::string_view, model::MetadataView item) {
                write_value(item, *list.add_values());
                return true;
            });
            break;
        }
        case model::MetadataType::kObject:
            write_metadata(from, *to.mutable_object_value());
            break;
    }
}

}  // namespace

Result<std::string> read_metadata(const v1::Object& object, std::string_view name) {
    MetadataReader reader;
    if (Result<void> read = reader.put(object); !read) {
        return std::move(read).error().with_field_prefix(name);
    }
    return std::move(reader).finish();
}

void write_value(const model::MatchValue& from, v1::Value& to) {
    struct Writer {
        v1::Value& to;
        void operator()(bool value) { to.set_bool_value(value); }
        void operator()(int64_t value) { to.set_int_value(value); }
        void operator()(uint64_t value) { to.set_uint_value(value); }
        void operator()(double value) { to.set_double_value(value); }
        void operator()(const std::string& value) { to.set_string_value(value); }
    };
    std::visit(Writer{to}, from);
}

// NOLINTNEXTLINE(misc-no-recursion)
void write_metadata(model::MetadataView metadata, v1::Object& object) {
    object.mutable_members()->Reserve(static_cast<int>(metadata.size()));
    metadata.for_each([&](std::string_view key, model::MetadataView value) {
        v1::Object::Member& member = *object.add_members();
        member.set_key(key.data(), key.size());
        write_value(value, *member.mutable_value());
        return true;
    });
}

}  // namespace akidb::rpc
