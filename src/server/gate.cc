#include "server/gate.h"

#include <algorithm>

#include "rest/filter_codec.h"
#include "server/audit_key.h"
#include "server/load_settings.h"
#include "server/process_facts.h"

namespace akidb::server {
namespace {

constexpr uint64_t kAccountsEveryUs = 60'000'000;

/// What devices are known by, over restarts.
std::array<uint8_t, 32> device_key_of(const access::AuditKey& key) {
    return service::hash_secret("akidb device " + key.seed_hex());
}

access::PasswordHooks password_hooks(telemetry::Metrics& metrics) {
    using telemetry::MetricId;
    return {.on_waiting =
                [&waiting = metrics.gauge(MetricId::kPasswordsWaiting)](int change) { waiting.add(change); },
            .on_hashed = [&took = metrics.histogram(MetricId::kPasswordHashDuration)](
                             uint64_t us) { took.observe(static_cast<double>(us) / 1e6); },
            .on_refused = [&refused = metrics.counter(MetricId::kPasswordsRefused)] { refused.add(); }};
}

}  // namespace

Result<access::TrustedProxies> trusted_proxies(const settings::Effective& effective) {
    std::string_view rest = effective.text("auth.trusted_proxies");
    std::vector<std::string> networks;
    while (!rest.empty()) {
        std::string one(rest.substr(0, rest.find(',')));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        std::erase(one, ' ');
        if (!one.empty()) {
            networks.push_back(std::move(one));
        }
    }
    return access::TrustedProxies::parse(networks);
}

Gate::Gate(const Foundation& foundation, io::Random& random, telemetry::Metrics& metrics)
    : foundation_(foundation),
      password_pool_(access::password_pool_options(cores())),
      password_gate_(random, foundation.clock, password_pool_, {}, password_hooks(metrics)),
      proofs_(foundation.clock, random) {}

Result<void> Gate::open_audit(const std::string& data, io::Random& random) {
    const std::string directory = data + "/audit";
    AKIDB_TRY(const access::AuditKey key, load_audit_key(foundation_.files, random, directory));
    access::AuditOptions options;
    // The log of a server is what most operators keep elsewhere.
    options.on_checkpoint = [&logger = foundation_.logger](const std::string& line) {
        logger.log(LogLevel::kInfo, "audit checkpoint " + line);
    };
    AKIDB_TRY(audit_, access::AuditLog::open(foundation_.files, foundation_.clock, random, directory, key,
                                             std::move(options)));
    guard_ = std::make_unique<access::LoginGuard>(foundation_.clock, random, proofs_, device_key_of(key));
    return {};
}

Result<std::unique_ptr<Gate>> Gate::open(const settings::Effective& effective, const Foundation& foundation,
                                         io::Random& random, telemetry::Metrics& metrics) {
    std::unique_ptr<Gate> gate(new Gate(foundation, random, metrics));
    AKIDB_TRY(gate->open_audit(effective.text("storage.data_dir"), random));
    AKIDB_TRY(gate->store_, catalog::AccessStore::open(catalog_path(effective)));
    service::AccessOptions options;
    const std::string& enabled = effective.text("auth.enabled");
    options.mode = enabled == "true"    ? service::AuthMode::kOn
                   : enabled == "false" ? service::AuthMode::kOff
                                        : service::AuthMode::kAuto;
    options.session_idle_ms = static_cast<uint64_t>(effective.integer("auth.session_idle_s")) * 1000;
    gate->control_ = std::make_unique<service::AccessControl>(gate->book_, foundation.clock, metrics, options,
                                                              gate->audit_.get());
    gate->accounts_ = std::make_unique<service::Accounts>(
        service::Accounts::Dependencies{*gate->store_, gate->book_, *gate->control_, gate->password_gate_,
                                        foundation.clock, random, rest::read_row_rule, gate->guard_.get()});
    AKIDB_TRY(gate->accounts_->load());
    if (!gate->control_->is_enabled()) {
        foundation.logger.log(LogLevel::kWarning,
                              "authentication is off: whoever reaches the ports may do everything",
                              {{"auth.enabled", enabled}});
    }
    return gate;
}

std::string Gate::setup_token() {
    return control_->is_enabled() ? accounts_->make_setup_token() : std::string();
}

void Gate::tick() {
    if (const Result<void> ticked = audit_->tick(); !ticked) {
        foundation_.logger.log(LogLevel::kError, "the audit log cannot be written",
                               {{"error", ticked.error().message()}});
    }
    const uint64_t now = foundation_.clock.monotonic_us();
    if (now >= accounts_due_us_) {
        accounts_due_us_ = now + kAccountsEveryUs;
        tend();
    }
}

void Gate::export_audit(telemetry::Metrics& metrics) {
    using telemetry::MetricId;
    const access::AuditFigures now = audit_->figures();
    metrics.gauge(MetricId::kAuditEntries).set(static_cast<double>(now.entries));
    metrics.gauge(MetricId::kAuditCheckpoint).set(static_cast<double>(now.checkpoint_unix_ms) / 1000);
    metrics.counter(MetricId::kAuditFailures).add(static_cast<double>(now.failures - audited_.failures));
    metrics.counter(MetricId::kAuditOmitted).add(static_cast<double>(now.omitted - audited_.omitted));
    audited_ = now;
}

void Gate::tend() {
    if (const Result<void> tended = accounts_->tend(); !tended) {
        foundation_.logger.log(LogLevel::kWarning, "the use of keys was not written down",
                               {{"error", tended.error().message()}});
    }
}

Result<void> Gate::close() {
    tend();
    password_pool_.stop();
    Result<void> outcome = audit_->close();
    Result<void> closed = store_->close();
    return outcome ? std::move(closed) : std::move(outcome);
}

}  // namespace akidb::server
