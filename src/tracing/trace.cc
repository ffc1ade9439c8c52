#include "tracing/trace.h"

#include <algorithm>
#include <cstring>

#include "base/utf8.h"

namespace akidb::tracing {
namespace {

std::string made_fit(std::string_view text) {
    std::string fit;
    while (!text.empty()) {
        const size_t length = utf8_front_length(text);
        const size_t taken = std::max<size_t>(length, 1);
        if (fit.size() + taken > kTextBytesMax) {
            break;
        }
        fit.append(length == 0 ? "?" : text.substr(0, length));
        text.remove_prefix(taken);
    }
    return fit;
}

}  // namespace

Value::Value(std::string_view text) : held_(made_fit(text)) {}

Trace::Trace(Doors doors, ParentContext parent, int64_t unix_offset_us)
    : doors_(doors),
      parent_(std::move(parent)),
      unix_offset_us_(unix_offset_us),
      began_us_(doors.clock.monotonic_us()),
      root_(make_span_id()) {}

SpanId Trace::make_span_id() const {
    uint64_t number = 0;
    while (number == 0) {  // zero is no id
        number = doors_.random.next_u64();
    }
    SpanId id;
    std::memcpy(id.bytes.data(), &number, sizeof(number));
    return id;
}

void Trace::add(Span span) {
    span.id = span.id.is_none() ? make_span_id() : span.id;
    span.parent = span.parent.is_none() ? root_ : span.parent;
    MutexLock lock(mutex_);
    if (is_ended_ || spans_.size() + 1 >= kSpansPerTraceMax) {
        omitted_ += is_ended_ ? 0 : 1;
        return;
    }
    spans_.push_back(std::move(span));
}

void Trace::end(Span root) {
    EndedTrace ended{.id = parent_.trace, .state = parent_.state};
    {
        MutexLock lock(mutex_);
        if (is_ended_) {
            return;
        }
        is_ended_ = true;
        root.id = root_;
        root.parent = parent_.span;
        root.begin_us = root.begin_us == 0 ? began_us_ : root.begin_us;
        root.end_us = doors_.clock.monotonic_us();
        if (omitted_ > 0) {
            root.attributes.push_back({"akidb.spans_omitted", omitted_});
        }
        ended.spans = std::move(spans_);
        ended.spans.insert(ended.spans.begin(), std::move(root));
    }
    for (Span& span : ended.spans) {
        span.begin_us += static_cast<uint64_t>(unix_offset_us_);  // wraps as the offset was meant
        span.end_us += static_cast<uint64_t>(unix_offset_us_);
    }
    doors_.sink.put(std::move(ended));
}

Step::~Step() {
    if (trace_ != nullptr) {
        trace_->add({.name = std::string(name_),
                     .begin_us = began_us_,
                     .end_us = trace_->now_us(),
                     .attributes = std::move(attributes_),
                     .is_failed = is_failed_});
    }
}

}  // namespace akidb::tracing
