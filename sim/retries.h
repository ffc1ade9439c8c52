// Retries: what a client does that did not hear the end of a write with a key: it sends the same again. A
// write that was acknowledged must be answered with the very same words and applied no more; one whose
// outcome is unknown must come out applied once, whether it was there or not. Kept beside the Oracle, of the
// newest writes. A value; thread-compatible.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "sim/oracle.h"

namespace akidb::sim {

class Retries {
  public:
    void acknowledged(const Operation& operation, const engine::WriteReply& reply);
    void unknown(const Operation& operation);
    /// What check() would send of which nobody knows whether it is there.
    const std::optional<Operation>& pending() const { return unknown_; }
    /// Sends all of them again. `oracle` has just been held against the collection, so that it knows one
    /// state; it learns what is applied only now. An empty string when all is well, else what is wrong.
    std::string check(engine::Collection& collection, Oracle& oracle);

  private:
    struct Acknowledged {
        Operation operation;
        engine::WriteReply reply;
    };
    std::string retry_unknown(engine::Collection& collection, Oracle& oracle);

    std::deque<Acknowledged> acknowledged_;
    std::optional<Operation> unknown_;  // the newest: nothing was acknowledged since
};

}  // namespace akidb::sim
