#include "service/access_control.h"

#include <algorithm>

namespace akidb::service {
namespace {

using telemetry::MetricId;

std::string described(const Principal& principal) {
    const std::string who = principal.kind == PrincipalKind::kKey ? "this API key" : "this user";
    return principal.role.empty() ? who : who + ", as " + principal.role + ",";
}

std::string described(const Asking& asking) {
    return asking.method.empty() ? std::string(asking.what)
                                 : std::string(asking.method).append(" ").append(asking.what);
}

std::string actor_of(const Principal& principal) {
    switch (principal.kind) {
        case PrincipalKind::kUser:
            return "user:" + principal.name;
        case PrincipalKind::kKey:
            return "key:" + principal.id.to_string() + " " + principal.name;
        case PrincipalKind::kOperator:
            break;
    }
    return "operator";
}

uint64_t seconds_up(uint64_t us) {
    return (us + 999'999) / 1'000'000;
}

}  // namespace

AccessControl::AccessControl(AccessBook& book, const io::Clock& clock, telemetry::Metrics& metrics,
                             AccessOptions options, access::AuditLog* audit)
    : book_(book),
      clock_(clock),
      metrics_(metrics),
      options_(options),
      start_us_(clock.monotonic_us()),
      audit_(audit),
      attempts_none_(metrics.counter(MetricId::kAuthAttempts, {"none"})),
      attempts_key_(metrics.counter(MetricId::kAuthAttempts, {"key"})),
      attempts_session_(metrics.counter(MetricId::kAuthAttempts, {"session"})) {}

bool AccessControl::is_enabled() const {
    return options_.mode == AuthMode::kOn || (options_.mode == AuthMode::kAuto && book_.users.count() > 0);
}

Error AccessControl::refuse(Fault fault, std::string message) const {
    constexpr std::array<std::string_view, kFaults> kReasons{"none",    "malformed", "unknown",  "expired",
                                                             "revoked", "inactive",  "suspended"};
    metrics_.counter(MetricId::kAuthFailures, {kReasons[static_cast<size_t>(fault)]}).add();
    return Error(Code::kUnauthenticated, std::move(message));
}

Error AccessControl::deny(std::string_view what, std::string message) const {
    metrics_.counter(MetricId::kAuthDenied, {what}).add();
    return Error(Code::kPermissionDenied, std::move(message));
}

Result<void> AccessControl::admit(const model::Access& access, const Credentials& given, Admission& admission,
                                  const Asking& asking) const {
    if (!is_enabled()) {
        admission.principal = operator_principal();
        return {};
    }
    if (access.is_open()) {
        return {};
    }
    Result<void> judged = judge(access, given, admission);
    // Quotas are no matter of rights, and would fill the log.
    if (!judged && audit_ != nullptr && judged.error().code() != Code::kRateLimited) {
        note_refusal(asking, admission.principal.get(), judged.error());
    }
    return judged;
}

Result<void> AccessControl::judge(const model::Access& access, const Credentials& given,
                                  Admission& admission) const {
    AKIDB_TRY(authenticate(given, admission));
    const Principal& principal = *admission.principal;
    AKIDB_TRY(check(principal, access.actions()));
    if (access.is_for_operators() && !principal.is_of_default_tenant()) {
        return deny("scope", "tenants are for the administrators of the tenant \"default\"");
    }
    return take_quota(principal, admission);
}

std::string AccessControl::tenant_name(const Uuid& id) const {
    const auto tenant = book_.tenants.find(id);
    return tenant == nullptr ? id.to_string() : tenant->row.name;
}

void AccessControl::note_refusal(const Asking& asking, const Principal* principal,
                                 const Error& refused) const {
    audit_->note({.actor = principal == nullptr ? "" : actor_of(*principal),
                  .tenant = principal == nullptr ? "" : tenant_name(principal->tenant),
                  .action = described(asking),
                  .outcome = access::AuditOutcome::kDenied,
                  .reason = refused.message(),
                  .source = std::string(asking.source),
                  .user_agent = std::string(asking.user_agent),
                  .request_id = std::string(asking.request_id)});
}

void AccessControl::note_login(const Asking& asking, const std::string& tenant, const std::string& email,
                               const Error* refused) const {
    if (audit_ == nullptr) {
        return;
    }
    audit_->note(
        {.actor = "user:" + email,
         .tenant = tenant,
         .action = described(asking),
         .outcome = refused == nullptr ? access::AuditOutcome::kAllowed : access::AuditOutcome::kDenied,
         .reason = refused == nullptr ? "" : refused->message(),
         .source = std::string(asking.source),
         .user_agent = std::string(asking.user_agent),
         .request_id = std::string(asking.request_id)});
}

Result<void> AccessControl::write_down(const RequestContext& context, model::Action action,
                                       std::string resource) const {
    if (audit_ == nullptr || !is_enabled() || context.principal == nullptr) {
        return {};
    }
    Result<uint64_t> written = audit_->append({.actor = actor_of(*context.principal),
                                               .tenant = tenant_name(context.principal->tenant),
                                               .action = std::string(model::name_of(action)),
                                               .resource = std::move(resource),
                                               .source = context.source,
                                               .user_agent = context.user_agent,
                                               .request_id = context.request_id});
    if (!written) {
        return std::move(written).error().with_context(
            "nothing was done, as the audit log cannot be written");
    }
    return {};
}

Result<void> AccessControl::check(const Principal& principal, model::ActionSet actions) const {
    const std::optional<model::Action> missing = principal.actions.find_missing(actions);
    if (!missing) {
        return {};
    }
    const std::string name(model::name_of(*missing));
    return deny(name, described(principal) + " may not do this: it takes the action " + name);
}

Result<void> AccessControl::authenticate(const Credentials& given, Admission& admission) const {
    Result<std::string_view> text = find_token(given);
    if (!text) {
        attempts_none_.add();
        metrics_.counter(MetricId::kAuthFailures, {"malformed"}).add();
        return std::move(text).error();
    }
    if (text->empty()) {
        attempts_none_.add();
        return refuse(Fault::kNone, "this server wants to know who asks: send an API key or session token")
            .with_allowed("Authorization: Bearer <token>, or api-key: <token>");
    }
    const std::optional<Token> token = parse_token(*text);
    if (!token) {
        attempts_none_.add();
        return refuse(Fault::kMalformed, "this is no API key or session token of AkiDB")
            .with_allowed("ak_… or as_…");
    }
    if (token->kind == TokenKind::kKey) {
        attempts_key_.add();
        if (!given.cookies.empty()) {
            return refuse(Fault::kMalformed, "a cookie holds a session, no API key");
        }
        return authenticate_key(*token, admission);
    }
    attempts_session_.add();
    AKIDB_TRY(authenticate_session(*token, admission));
    return given.cookies.empty() ? Result<void>() : check_page(given);
}

Result<void> AccessControl::check_page(const Credentials& given) const {
    if (!given.changes_something ||
        is_secret(given.csrf_token, hash_secret(csrf_token_of(given.cookies.front())))) {
        return {};
    }
    return deny("csrf",
                "a request by the session's cookie that may change something must show that a page of this "
                "server sends it")
        .with_field("X-CSRF-Token")
        .with_allowed("the csrf_token of the login, or of GET /api/v1/auth/me");
}

Result<void> AccessControl::authenticate_key(const Token& token, Admission& admission) const {
    const auto key = book_.keys.find(token.id);
    if (key == nullptr || !is_secret(token.secret, key->row.secret_hash)) {
        return refuse(Fault::kUnknown, "the API key is not known");
    }
    if (key->row.is_revoked) {
        return refuse(Fault::kRevoked, "the API key is revoked");
    }
    const uint64_t now_ms = clock_.unix_ms();
    if (key->ending.has_come(clock_)) {
        return refuse(Fault::kExpired, "the API key has expired");
    }
    AKIDB_TRY(check_tenant(key->row.tenant));
    // A second is exact enough, and spares the cores that share a key the line of its moment.
    constexpr uint64_t kExactMs = 1000;
    if (now_ms >= key->used_at_ms->load(std::memory_order_relaxed) + kExactMs) {
        key->used_at_ms->store(now_ms, std::memory_order_relaxed);
    }
    admission.principal = key->principal;
    return {};
}

Result<void> AccessControl::authenticate_session(const Token& token, Admission& admission) const {
    const auto session = book_.sessions.find(token.id);
    if (session == nullptr || !is_secret(token.secret, session->row.secret_hash)) {
        return refuse(Fault::kUnknown, "the session is not known, or was logged out");
    }
    const uint64_t now_us = clock_.monotonic_us();
    const uint64_t used_at_us = session->used_at_us->load(std::memory_order_relaxed);
    if (session->ending.has_come(clock_) || now_us >= used_at_us + options_.session_idle_ms * 1000) {
        return refuse(Fault::kExpired, "the session has expired: log in again");
    }
    const auto user = book_.users.find(session->row.user);
    if (user == nullptr || user->row.status != catalog::UserStatus::kActive) {
        return refuse(Fault::kInactive, "the user is suspended or deactivated");
    }
    AKIDB_TRY(check_tenant(user->row.tenant));
    session->used_at_us->store(now_us, std::memory_order_relaxed);
    admission.principal = user->principal;
    admission.session = session->row.id;
    return {};
}

Result<void> AccessControl::check_tenant(const Uuid& tenant) const {
    const auto entry = book_.tenants.find(tenant);
    if (entry == nullptr || entry->row.is_suspended) {
        return refuse(Fault::kSuspended, "the tenant is suspended");
    }
    return {};
}

void AccessControl::count_attempt(std::string_view kind, bool is_well) const {
    metrics_.counter(MetricId::kAuthAttempts, {kind}).add();
    if (!is_well) {
        metrics_.counter(MetricId::kAuthFailures, {kind}).add();
    }
}

void AccessControl::count_challenge(std::string_view outcome) const {
    metrics_.counter(MetricId::kLoginChallenges, {outcome}).add();
}

void AccessControl::show(const Population& population) const {
    const auto set = [&](telemetry::Gauge& gauge, size_t count) { gauge.set(static_cast<double>(count)); };
    set(metrics_.gauge(MetricId::kApiKeys, {"active"}), population.keys_active);
    set(metrics_.gauge(MetricId::kApiKeys, {"expired"}), population.keys_expired);
    set(metrics_.gauge(MetricId::kApiKeys, {"revoked"}), population.keys_revoked);
    set(metrics_.gauge(MetricId::kApiKeysUsed), population.keys_used);
    set(metrics_.gauge(MetricId::kSessions), population.sessions);
}

uint64_t AccessControl::documents_max(const Uuid& tenant) const {
    const auto entry = book_.tenants.find(tenant);
    return entry == nullptr ? 0 : entry->row.documents_max;
}

Result<void> AccessControl::take_quota(const Principal& principal, Admission& admission) const {
    const auto take = [&](access::RateMeter& quota, uint64_t per_second,
                          std::string_view whose) -> Result<void> {
        const auto count = static_cast<uint32_t>(std::min<uint64_t>(per_second, access::kRateCountMax));
        const access::RateDecision decision =
            quota.take(access::per_second(count), clock_.monotonic_us() - start_us_);
        if (!admission.quota || decision.remaining < admission.quota->remaining || !decision.allowed) {
            admission.quota = {count, decision.remaining, seconds_up(decision.reset_us)};
        }
        if (decision.allowed) {
            return {};
        }
        metrics_.counter(MetricId::kQuotaRefused, {whose}).add();
        return Error(Code::kRateLimited, "the quota of the " + std::string(whose) + " is used up")
            .with_allowed(std::to_string(count) + " requests a second")
            .with_retry_after(decision.retry_after_s());
    };
    if (principal.kind == PrincipalKind::kKey) {
        const auto key = book_.keys.find(principal.id);
        if (key != nullptr && key->row.requests_per_second > 0) {
            AKIDB_TRY(take(*key->quota, key->row.requests_per_second, "key"));
        }
    }
    const auto tenant = book_.tenants.find(principal.tenant);
    if (tenant != nullptr && tenant->row.requests_per_second > 0) {
        AKIDB_TRY(take(*tenant->quota, tenant->row.requests_per_second, "tenant"));
    }
    return {};
}

}  // namespace akidb::service
