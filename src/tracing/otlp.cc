#include "tracing/otlp.h"

#include <limits>
#include <optional>

#include "base/bytes.h"

namespace akidb::tracing {
namespace {

constexpr uint64_t kNsPerUs = 1000;

// How protobuf lays a field out: its number and one of these, then the value.
enum class Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

class FieldWriter {
  public:
    void number(uint32_t field, uint64_t value) {
        tag(field, Wire::kVarint);
        varint(value);
    }
    void fixed64(uint32_t field, uint64_t value) {
        tag(field, Wire::kFixed64);
        ByteWriter(bytes_).put(value);
    }
    void fixed32(uint32_t field, uint32_t value) {
        tag(field, Wire::kFixed32);
        ByteWriter(bytes_).put(value);
    }
    void real(uint32_t field, double value) {
        tag(field, Wire::kFixed64);
        ByteWriter(bytes_).put(value);
    }
    /// Text, bytes, or a message within this one.
    void bytes(uint32_t field, std::string_view value) {
        tag(field, Wire::kBytes);
        varint(value.size());
        bytes_.append(value);
    }
    void message(uint32_t field, const FieldWriter& inner) { bytes(field, inner.bytes_); }
    std::string take() && { return std::move(bytes_); }

  private:
    void tag(uint32_t field, Wire wire) { varint(field << 3 | static_cast<uint32_t>(wire)); }
    void varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7) {
            bytes_.push_back(static_cast<char>(value | 0x80));
        }
        bytes_.push_back(static_cast<char>(value));
    }

    std::string bytes_;
};

template <size_t kBytes>
std::string_view raw(const Id<kBytes>& id) {
    return {reinterpret_cast<const char*>(id.bytes.data()), kBytes};
}

/// KeyValue { key = 1, value = 2 { string = 1, bool = 2, int = 3, double = 4 } }
FieldWriter attribute(std::string_view key, const Value& value) {
    FieldWriter any;
    if (const auto* text = std::get_if<std::string>(&value.held())) {
        any.bytes(1, *text);
    } else if (const auto* flag = std::get_if<bool>(&value.held())) {
        any.number(2, *flag ? 1 : 0);
    } else if (const auto* number = std::get_if<int64_t>(&value.held())) {
        any.number(3, static_cast<uint64_t>(*number));
    } else if (const auto* real = std::get_if<double>(&value.held())) {
        any.real(4, *real);
    }
    FieldWriter made;
    made.bytes(1, key);
    made.message(2, any);
    return made;
}

/// Span { trace_id = 1, span_id = 2, trace_state = 3, parent_span_id = 4, name = 5, kind = 6, start = 7, end
/// = 8, attributes = 9, status = 15 { code = 3 }, flags = 16 }
FieldWriter span_of(const EndedTrace& trace, const Span& span) {
    constexpr uint32_t kSampled = 1;
    constexpr uint64_t kError = 2;
    FieldWriter made;
    made.bytes(1, raw(trace.id));
    made.bytes(2, raw(span.id));
    if (!trace.state.empty()) {
        made.bytes(3, trace.state);
    }
    if (!span.parent.is_none()) {
        made.bytes(4, raw(span.parent));
    }
    made.bytes(5, span.name);
    made.number(6, static_cast<uint64_t>(span.kind));
    made.fixed64(7, span.begin_us * kNsPerUs);
    made.fixed64(8, span.end_us * kNsPerUs);
    for (const Attribute& one : span.attributes) {
        made.message(9, attribute(one.key, one.value));
    }
    if (span.is_failed) {
        FieldWriter status;
        status.number(3, kError);
        made.message(15, status);
    }
    made.fixed32(16, kSampled);
    return made;
}

/// Reads fields one after another; nothing that it is given makes it read beyond the end or allocate.
class FieldReader {
  public:
    explicit FieldReader(std::string_view bytes) : bytes_(bytes) {}

    struct Field {
        uint64_t number = 0;
        uint64_t value = 0;        // of kVarint
        std::string_view bytes{};  // of kBytes
    };
    /// None at the end, and where it cannot be read.
    std::optional<Field> next() {
        const std::optional<uint64_t> tag = varint();
        if (!tag) {
            return std::nullopt;
        }
        Field field{.number = *tag >> 3};
        switch (static_cast<Wire>(*tag & 7)) {
            case Wire::kVarint: {
                const std::optional<uint64_t> value = varint();
                field.value = value.value_or(0);
                return value ? std::optional(field) : std::nullopt;
            }
            case Wire::kBytes: {
                const std::optional<uint64_t> length = varint();
                return length && skip(*length, field.bytes) ? std::optional(field) : std::nullopt;
            }
            case Wire::kFixed64:
                return skip(8, field.bytes) ? std::optional(field) : std::nullopt;
            case Wire::kFixed32:
                return skip(4, field.bytes) ? std::optional(field) : std::nullopt;
        }
        return std::nullopt;
    }

  private:
    std::optional<uint64_t> varint() {
        uint64_t value = 0;
        for (uint32_t shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
            const auto byte = static_cast<uint8_t>(bytes_.front());
            bytes_.remove_prefix(1);
            value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) {
                return value;
            }
        }
        return std::nullopt;
    }
    bool skip(uint64_t count, std::string_view& skipped) {
        if (count > bytes_.size()) {
            return false;
        }
        skipped = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return true;
    }

    std::string_view bytes_;
};

}  // namespace

std::string encode_traces(const Resource& resource, std::span<const EndedTrace> traces) {
    FieldWriter who;
    who.message(1, attribute("service.name", "akidb"));
    who.message(1, attribute("service.version", resource.version));
    who.message(1, attribute("service.instance.id", resource.instance));
    who.message(1, attribute("host.name", resource.host));
    who.message(1, attribute("process.pid", resource.process));
    FieldWriter scope;
    scope.bytes(1, "akidb");
    scope.bytes(2, resource.version);
    FieldWriter scoped;
    scoped.message(1, scope);
    for (const EndedTrace& trace : traces) {
        for (const Span& span : trace.spans) {
            scoped.message(2, span_of(trace, span));
        }
    }
    FieldWriter of_resource;
    of_resource.message(1, who);
    of_resource.message(2, scoped);
    FieldWriter request;
    request.message(1, of_resource);
    return std::move(request).take();
}

/// ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1 } }
uint64_t read_rejected_spans(std::string_view reply) {
    FieldReader reader(reply);
    while (const auto partial = reader.next()) {
        FieldReader inner(partial->number == 1 ? partial->bytes : std::string_view());
        while (const auto field = inner.next()) {
            if (field->number == 1 && field->value <= std::numeric_limits<int64_t>::max()) {
                return field->value;
            }
        }
    }
    return 0;
}

}  // namespace akidb::tracing
