// answering: the callback of a write that answers its call when the write is done, from the thread that
// committed it.
#pragma once

#include <memory>
#include <utility>

#include "rest/call.h"
#include "service/service.h"

namespace akidb::rest {

/// Calls `write(call, reply)`, or fails the call.
template <class Write>
engine::WriteDone answering(std::shared_ptr<Call> call, Write write) {
    return [call = std::move(call), write = std::move(write)](const Result<engine::WriteReply>& done) {
        call->guarded([&]() -> Result<void> {
            if (!done) {
                return done.error();
            }
            write(*call, *done);
            return {};
        });
    };
}

}  // namespace akidb::rest
