// The envelope of the Qdrant dialect: {"result":…,"status":"ok","time":s}.
#pragma once

#include "rest/call.h"
#include "rest/json_writer.h"

namespace akidb::rest::qdrant {

/// The answer around a result: result(write).
template <class WriteResult>
void answer(Call& call, WriteResult result) {
    JsonWriter writer;
    writer.begin_object().key("result");
    result(writer);
    writer.member("status", "ok").member("time", call.elapsed_ms() / 1e3).end_object();
    call.answer(std::move(writer));
}

inline void answer_true(Call& call, bool what = true) {
    answer(call, [&](JsonWriter& writer) { writer.value(what); });
}

// Every write is durable and visible when it is answered, whatever `wait` says.
inline void write_done(JsonWriter& writer, uint64_t sequence) {
    writer.begin_object().member("operation_id", sequence).member("status", "completed").end_object();
}

}  // namespace akidb::rest::qdrant
