// Gate: the objects that say who asks and whether he may, made and taken down together: what the catalog has
// of users and keys, the book of them in memory, the control over requests, what a login must pass, the audit
// log, and the use cases of those who administer it. Thread-compatible but for what it hands out.
#pragma once

#include <memory>
#include <string>

#include "access/audit_log.h"
#include "access/login_guard.h"
#include "access/password.h"
#include "access/trusted_proxies.h"
#include "io/executor.h"
#include "io/random.h"
#include "server/wiring.h"
#include "service/accounts.h"
#include "telemetry/metrics.h"

namespace akidb::server {

/// Of `auth.trusted_proxies`. kInvalidArgument names the one that is no network.
Result<access::TrustedProxies> trusted_proxies(const settings::Effective& effective);

class Gate {
  public:
    /// Of the catalog that the settings name, which is at its newest version. All given must outlive it.
    static Result<std::unique_ptr<Gate>> open(const settings::Effective& effective,
                                              const Foundation& foundation, io::Random& random,
                                              telemetry::Metrics& metrics);

    /// Logins that wait for their hash are answered kUnavailable.
    ~Gate() { password_pool_.stop(); }
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    const service::AccessControl& control() const { return *control_; }
    service::Accounts& accounts() { return *accounts_; }
    /// Empty when there is a user, or nobody is asked who he is.
    std::string setup_token();
    /// Every second or so.
    void tick();
    void export_audit(telemetry::Metrics& metrics);
    /// Requests have ended.
    Result<void> close();

  private:
    Gate(const Foundation& foundation, io::Random& random, telemetry::Metrics& metrics);
    Result<void> open_audit(const std::string& data, io::Random& random);
    void tend();

    const Foundation foundation_;
    io::ThreadPool password_pool_;
    access::PasswordHasher password_gate_;
    access::ProofOfWork proofs_;
    std::unique_ptr<access::AuditLog> audit_;
    std::unique_ptr<access::LoginGuard> guard_;
    std::unique_ptr<catalog::AccessStore> store_;
    service::AccessBook book_;
    std::unique_ptr<service::AccessControl> control_;
    std::unique_ptr<service::Accounts> accounts_;
    uint64_t accounts_due_us_ = 0;
    access::AuditFigures audited_;  // as exported
};

}  // namespace akidb::server
