// Trace: the spans of one request, or of one job of the background, as they are gathered; with end() they go
// to the tracer, which hands them to whoever exports them. A span says what was done, from when to when, and
// facts about it as attributes: names, counts, kinds. Never a vector, a document, an id of one, a value of a
// filter or a secret, as spans are sent to another machine. Bounded: so many spans, attributes of 256 bytes;
// what is beyond is counted and left out. Times handed in are microseconds of the clock that the tracer has
// (monotonic). Thread-safe: a request is handed from thread to thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "io/clock.h"
#include "io/random.h"
#include "tracing/trace_context.h"

namespace akidb::tracing {

inline constexpr size_t kSpansPerTraceMax = 128;
inline constexpr size_t kTextBytesMax = 256;

/// Text is cut to kTextBytesMax and made UTF-8, as one bad byte would make a collector refuse the whole
/// batch.
class Value {
  public:
    Value(std::string_view text);                                      // NOLINT(google-explicit-constructor)
    Value(const std::string& text) : Value(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
    Value(const char* text) : Value(std::string_view(text)) {}         // NOLINT(google-explicit-constructor)
    Value(bool flag) : held_(flag) {}                                  // NOLINT(google-explicit-constructor)
    Value(double number) : held_(number) {}                            // NOLINT(google-explicit-constructor)
    template <std::integral Number>
    requires(!std::is_same_v<Number, bool>) Value(Number number)  // NOLINT(google-explicit-constructor)
        : held_(static_cast<int64_t>(number)) {}

    const std::variant<std::string, int64_t, double, bool>& held() const { return held_; }

  private:
    std::variant<std::string, int64_t, double, bool> held_;
};

struct Attribute {
    std::string_view key;  // a literal
    Value value;
};

/// With the numbers of OTLP.
enum class SpanKind : uint8_t { kInternal = 1, kServer = 2 };

struct Span {
    SpanId id{};
    SpanId parent{};  // none: the root of a trace that began here
    std::string name{};
    SpanKind kind = SpanKind::kInternal;
    uint64_t begin_us = 0;  // once in an EndedTrace since 1970, before by the tracer's clock
    uint64_t end_us = 0;
    std::vector<Attribute> attributes{};
    bool is_failed = false;
};

struct EndedTrace {
    TraceId id;
    std::string state{};
    std::vector<Span> spans{};
};

/// Where traces go when they end.
class TraceSink {
  public:
    virtual ~TraceSink() = default;
    virtual void put(EndedTrace trace) = 0;
};

class Trace {
  public:
    /// What is the same for all of one tracer; it outlives the trace.
    struct Doors {
        TraceSink& sink;
        const io::Clock& clock;
        io::Random& random;
    };
    /// `parent`: its trace goes on; without a span a trace begins. `unix_offset_us`: from the clock to 1970.
    Trace(Doors doors, ParentContext parent, int64_t unix_offset_us);

    const TraceId& id() const { return parent_.trace; }
    uint64_t now_us() const { return doors_.clock.monotonic_us(); }
    SpanId make_span_id() const;
    /// A part of the work, which has ended; under the root unless it names a parent. None once end() was
    /// called.
    void add(Span span) AKIDB_EXCLUDES(mutex_);
    /// The root, once: name, kind, attributes and outcome; the rest is known.
    void end(Span root) AKIDB_EXCLUDES(mutex_);

  private:
    Doors doors_;
    const ParentContext parent_;
    const int64_t unix_offset_us_;
    const uint64_t began_us_;
    const SpanId root_;
    Mutex mutex_;
    bool is_ended_ AKIDB_GUARDED_BY(mutex_) = false;
    uint64_t omitted_ AKIDB_GUARDED_BY(mutex_) = 0;
    std::vector<Span> spans_ AKIDB_GUARDED_BY(mutex_);
};

/// A part of the work from here to the end of its scope; nothing at all without a trace.
class Step {
  public:
    /// `name`: a literal.
    Step(Trace* trace, std::string_view name)
        : trace_(trace), name_(name), began_us_(trace == nullptr ? 0 : trace->now_us()) {}
    ~Step();
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

    /// Whether attributes are worth gathering.
    bool is_recorded() const { return trace_ != nullptr; }
    void set(std::string_view key, Value value) { attributes_.push_back({key, std::move(value)}); }
    void fail(std::string_view error_type) {
        is_failed_ = true;
        set("error.type", error_type);
    }

  private:
    Trace* const trace_;
    const std::string_view name_;
    const uint64_t began_us_;
    std::vector<Attribute> attributes_;
    bool is_failed_ = false;
};

}  // namespace akidb::tracing
