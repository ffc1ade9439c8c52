// Passwords: what may be one, and the door to what hashes them. Hashes are PHC texts ("$argon2id$v=19$m=…"),
// which carry their parameters. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "access/password.h"
#include "base/result.h"

namespace akidb::service {

class PasswordHasher {
  public:
    virtual ~PasswordHasher() = default;
    /// Both take tens of milliseconds. kUnavailable with Retry-After when too many are under way.
    virtual Result<std::string> hash(std::string_view password) = 0;
    /// Nothing is the hash of a user who is not there: it takes as long, and does not match.
    virtual Result<bool> matches(const std::optional<std::string>& stored, std::string_view password) = 0;
};

/// The caller waits while the gate's pool hashes; `gate` must outlive it.
std::unique_ptr<PasswordHasher> make_password_hasher(access::PasswordHasher& gate);

/// 12..1,024 bytes, neither the e-mail nor one of those that everybody tries first. kInvalidArgument on field
/// "password".
Result<void> validate_password(std::string_view password, std::string_view email);
/// Something before and behind one @, without spaces and control characters; comes back in lower case.
Result<std::string> normalised_email(std::string_view email);

}  // namespace akidb::service
