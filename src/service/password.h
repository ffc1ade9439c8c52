// What may be a password, and what an e-mail (access/password.h hashes them). Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace akidb::service {

/// 12..1,024 bytes, neither the e-mail nor one of those that everybody tries first. kInvalidArgument on field
/// "password".
Result<void> validate_password(std::string_view password, std::string_view email);
/// Something before and behind one @, without spaces and control characters; comes back in lower case.
Result<std::string> normalised_email(std::string_view email);

}  // namespace akidb::service
