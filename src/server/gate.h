// Gate: the objects that say who asks and whether he may, made and taken down together: what the catalog has
// of users and keys, the book of them in memory, the control over requests, and the use cases of those who
// administer it. Thread-compatible but for what it hands out.
#pragma once

#include <memory>
#include <string>

#include "io/random.h"
#include "server/wiring.h"
#include "service/accounts.h"
#include "telemetry/metrics.h"

namespace akidb::server {

class Gate {
  public:
    /// Of the catalog that the settings name, which is at its newest version. All given must outlive it.
    static Result<std::unique_ptr<Gate>> open(const settings::Effective& effective,
                                              const Foundation& foundation, io::Random& random,
                                              telemetry::Metrics& metrics);

    const service::AccessControl& control() const { return *control_; }
    service::Accounts& accounts() { return *accounts_; }
    /// Empty when there is a user, or nobody is asked who he is.
    std::string setup_token();
    /// Every minute.
    void tend();
    Result<void> close();

  private:
    explicit Gate(const Foundation& foundation) : foundation_(foundation) {}

    const Foundation foundation_;
    std::unique_ptr<catalog::AccessStore> store_;
    service::AccessBook book_;
    std::unique_ptr<service::PasswordHasher> hasher_;
    std::unique_ptr<service::AccessControl> control_;
    std::unique_ptr<service::Accounts> accounts_;
};

}  // namespace akidb::server
