// Credentials of an S3 server, by the first of these that says any: a file of the settings or the command
// line, the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), the shared file
// (AWS_SHARED_CREDENTIALS_FILE, else HOME/.aws/credentials) under the profile AWS_PROFILE or "default". Files
// have the form of that shared file; one that was named must be readable by its owner alone. Last, and only
// where somebody allows it, the machine itself (instance_credentials.h). Errors name places, never secrets.
// Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "objects/aws_signature.h"

namespace akidb::objects {

class InstanceCredentials;

/// Asked whenever a request is signed; blocks when it has to ask the machine. Thread-safe.
using CredentialSource = std::function<Result<Credentials>()>;
CredentialSource lasting(Credentials credentials);

struct CredentialPlaces {
    std::string file;                                // empty: not named
    std::map<std::string, std::string> environment;  // all variables, or those above
    InstanceCredentials* instance = nullptr;         // null: the machine is not asked
};

/// kUnauthenticated when no place has any. Asks the machine nothing yet; that must outlive the source.
Result<CredentialSource> find_credentials(const CredentialPlaces& places);
/// "[default]\naws_access_key_id = …\naws_secret_access_key = …\n"; keys before the first heading belong to
/// "default".
Result<Credentials> parse_credentials(const std::string& text, const std::string& profile);

}  // namespace akidb::objects
