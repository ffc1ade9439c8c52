// PartSender: sends the parts of one large object, several at once where there are threads for it, while its
// caller reads and hashes the next one. So many parts are in memory, and one more: that of the caller. After
// the first error no further part begins. What the executor does not take, the caller sends himself. For one
// thread, which add() makes wait; the executor must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/executor.h"

namespace akidb::objects {

class PartSender {
  public:
    /// Sends one part and returns its tag; called from several threads. Parts count from 1.
    using Send = std::function<Result<std::string>(uint64_t number, std::string_view bytes)>;
    /// Without an executor one after the other.
    PartSender(io::Executor* executor, size_t at_once, Send send);
    /// Waits for those under way.
    ~PartSender();
    PartSender(const PartSender&) = delete;
    PartSender& operator=(const PartSender&) = delete;

    /// Waits for a place. The error of a part before it.
    Result<void> add(std::string part);
    /// Waits for all of them; their tags, in order.
    Result<std::vector<std::string>> finish();

  private:
    struct State;
    class Share;

    io::Executor* const executor_;
    const size_t at_once_;
    const Send send_;
    const std::shared_ptr<State> state_;
};

}  // namespace akidb::objects
