// AccessControl: the one place below all protocols where it is decided who asks and whether he may. A request
// is admitted before its body is read as anything: credentials, then the actions that its route asks for,
// then the quotas; collections and row rules are held against the principal by Service, which finds
// everything through him. What is suspended, revoked, deactivated or expired is refused from the next request
// on, and a stream asks again with each message. Thread-safe; does not block.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "access/audit_log.h"
#include "base/result.h"
#include "io/clock.h"
#include "model/access.h"
#include "service/access_book.h"
#include "service/context.h"
#include "service/credentials.h"
#include "telemetry/metrics.h"

namespace akidb::service {

/// kAuto: on as soon as there is a user.
enum class AuthMode : uint8_t { kAuto, kOn, kOff };

/// What an answer tells of the tightest quota.
struct QuotaState {
    uint64_t limit = 0;
    uint64_t remaining = 0;
    uint64_t reset_after_s = 0;
};

struct Admission {
    std::shared_ptr<const Principal> principal;  // null on a route that is open to everyone
    Uuid session{};
    std::optional<QuotaState> quota{};
};

/// What is known of a request before it is known who asks.
struct Asking {
    std::string_view method{};  // of HTTP
    std::string_view what{};    // route, method of gRPC, or action
    std::string_view request_id{};
    std::string_view source{};
    std::string_view user_agent{};
};

/// The same for work that goes on after its request's texts are gone.
struct AskingText {
    explicit AskingText(const Asking& asking)
        : method(asking.method),
          what(asking.what),
          request_id(asking.request_id),
          source(asking.source),
          user_agent(asking.user_agent) {}
    Asking view() const { return {method, what, request_id, source, user_agent}; }

    std::string method;
    std::string what;
    std::string request_id;
    std::string source;
    std::string user_agent;
};

struct AccessOptions {
    AuthMode mode = AuthMode::kAuto;
    uint64_t session_idle_ms = 2 * 3600 * 1000;
};

class AccessControl {
  public:
    /// `audit` null: nothing is written down.
    AccessControl(AccessBook& book, const io::Clock& clock, telemetry::Metrics& metrics,
                  AccessOptions options, access::AuditLog* audit = nullptr);

    /// Without it everybody is the operator.
    bool is_enabled() const;

    /// `quota` of the admission is set also when it is what refuses. kUnauthenticated, kPermissionDenied,
    /// kRateLimited, kInvalidArgument (credentials sent twice).
    /// What is refused is noted in the audit log.
    Result<void> admit(const model::Access& access, const Credentials& given, Admission& admission,
                       const Asking& asking = {}) const;

    /// Before an administrative action has an effect: durable in the audit log at success, and when it fails
    /// the action must not be done. Nothing while nobody is asked who he is.
    Result<void> write_down(const RequestContext& context, model::Action action, std::string resource) const;
    /// Of a login.
    void note_login(const Asking& asking, const std::string& tenant, const std::string& email,
                    const Error* refused) const;
    const access::AuditLog* audit() const { return audit_; }

    /// The principal may do all of this: for uses that a route does not tell. kPermissionDenied.
    Result<void> check(const Principal& principal, model::ActionSet actions) const;

    /// Of those who show a password or the set-up token instead of credentials.
    void count_attempt(std::string_view kind, bool is_well) const;
    /// Of a proof of work: issued, solved or refused.
    void count_challenge(std::string_view outcome) const;
    struct Population {
        size_t keys_active = 0;
        size_t keys_expired = 0;
        size_t keys_revoked = 0;
        size_t keys_used = 0;  // within the last day
        size_t sessions = 0;
    };
    void show(const Population& population) const;
    /// The tenant's quota; 0: none.
    uint64_t documents_max(const Uuid& tenant) const;

  private:
    enum class Fault : uint8_t { kNone, kMalformed, kUnknown, kExpired, kRevoked, kInactive, kSuspended };
    static constexpr size_t kFaults = 7;

    Result<void> authenticate(const Credentials& given, Admission& admission) const;
    Result<void> authenticate_key(const Token& token, Admission& admission) const;
    Result<void> authenticate_session(const Token& token, Admission& admission) const;
    Result<void> check_page(const Credentials& given) const;
    Result<void> check_tenant(const Uuid& tenant) const;
    Result<void> take_quota(const Principal& principal, Admission& admission) const;
    Error refuse(Fault fault, std::string message) const;
    Error deny(std::string_view what, std::string message) const;

    void note_refusal(const Asking& asking, const Principal* principal, const Error& refused) const;
    Result<void> judge(const model::Access& access, const Credentials& given, Admission& admission) const;
    std::string tenant_name(const Uuid& id) const;

    AccessBook& book_;
    const io::Clock& clock_;
    telemetry::Metrics& metrics_;
    const AccessOptions options_;
    const uint64_t start_us_;
    access::AuditLog* audit_;
    // Looked up once: a lookup hashes strings under a lock that all requests share.
    telemetry::Counter& attempts_none_;
    telemetry::Counter& attempts_key_;
    telemetry::Counter& attempts_session_;
};

}  // namespace akidb::service
