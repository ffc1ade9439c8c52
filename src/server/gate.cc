#include "server/gate.h"

#include "rest/filter_codec.h"
#include "server/load_settings.h"

namespace akidb::server {

Result<std::unique_ptr<Gate>> Gate::open(const settings::Effective& effective, const Foundation& foundation,
                                         io::Random& random, telemetry::Metrics& metrics) {
    std::unique_ptr<Gate> gate(new Gate(foundation));
    AKIDB_TRY(gate->store_, catalog::AccessStore::open(catalog_path(effective)));
    service::AccessOptions options;
    const std::string& enabled = effective.text("auth.enabled");
    options.mode = enabled == "true"    ? service::AuthMode::kOn
                   : enabled == "false" ? service::AuthMode::kOff
                                        : service::AuthMode::kAuto;
    options.session_idle_ms = static_cast<uint64_t>(effective.integer("auth.session_idle_s")) * 1000;
    gate->control_ =
        std::make_unique<service::AccessControl>(gate->book_, foundation.clock, metrics, options);
    gate->hasher_ = service::make_password_hasher();
    gate->accounts_ = std::make_unique<service::Accounts>(
        service::Accounts::Dependencies{*gate->store_, gate->book_, *gate->control_, *gate->hasher_,
                                        foundation.clock, random, rest::read_row_rule});
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

void Gate::tend() {
    if (const Result<void> tended = accounts_->tend(); !tended) {
        foundation_.logger.log(LogLevel::kWarning, "the use of keys was not written down",
                               {{"error", tended.error().message()}});
    }
}

Result<void> Gate::close() {
    tend();
    return store_->close();
}

}  // namespace akidb::server
