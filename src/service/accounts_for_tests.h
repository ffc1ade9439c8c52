// What tests of accounts share: a hasher that is the real one at the least cost there is, and use cases that
// answer by callback, waited for. For tests only.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "io/executor.h"
#include "service/accounts.h"

namespace akidb::service {

/// crypto_pwhash's minimum: what is tested is who gets in, not at what cost.
inline constexpr access::PasswordCost kCheapPasswords{.memory_bytes = 8192, .passes = 1};

/// Begins with a callback, and waits for what comes back.
template <class Reply, class Begin>
Result<Reply> outcome_of(Begin begin) {
    auto promise = std::make_shared<std::promise<Result<Reply>>>();
    std::future<Result<Reply>> outcome = promise->get_future();
    begin([promise](Result<Reply> reply) { promise->set_value(std::move(reply)); });
    return outcome.get();
}

inline Result<LoginReply> log_in(Accounts& accounts, LoginRequest request, const Asking& asking = {}) {
    return outcome_of<LoginReply>(
        [&](auto done) { accounts.log_in(std::move(request), asking, std::move(done)); });
}
inline Result<LoginReply> set_up(Accounts& accounts, const std::string& token, LoginRequest request) {
    return outcome_of<LoginReply>(
        [&](auto done) { accounts.set_up(token, std::move(request), {}, std::move(done)); });
}
inline Result<UserView> create_user(Accounts& accounts, const RequestContext& context, NewUser request) {
    return outcome_of<UserView>(
        [&](auto done) { accounts.create_user(context, std::move(request), std::move(done)); });
}
inline Result<UserView> update_user(Accounts& accounts, const RequestContext& context,
                                    const std::string& user, UserChange change) {
    return outcome_of<UserView>(
        [&](auto done) { accounts.update_user(context, user, std::move(change), std::move(done)); });
}

}  // namespace akidb::service
