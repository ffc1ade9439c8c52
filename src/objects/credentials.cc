#include "objects/credentials.h"

#include <string_view>

#include "io/private_file.h"
#include "objects/instance_credentials.h"

namespace akidb::objects {
namespace {

constexpr uint64_t kFileBytesMax = 64 << 10;

std::string_view trimmed_of_line(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t\r");
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string variable(const CredentialPlaces& places, const char* name) {
    const auto found = places.environment.find(name);
    return found == places.environment.end() ? std::string() : found->second;
}

Result<Credentials> read_file(const std::string& path, const std::string& profile) {
    AKIDB_TRY(const std::string text, io::read_private_file(path, kFileBytesMax));
    Result<Credentials> found = parse_credentials(text, profile);
    return found ? std::move(found) : std::move(found).error().with_context(path);
}

}  // namespace

Result<Credentials> parse_credentials(const std::string& text, const std::string& profile) {
    Credentials found;
    std::string section = "default";
    std::string_view rest = text;
    while (!rest.empty()) {
        const size_t end = rest.find('\n');
        const std::string_view line = trimmed_of_line(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (line.starts_with('[') && line.ends_with(']')) {
            section = trimmed_of_line(line.substr(1, line.size() - 2));
            continue;
        }
        const size_t equals = line.find('=');
        if (line.empty() || line.front() == '#' || line.front() == ';' || section != profile ||
            equals == std::string_view::npos) {
            continue;
        }
        const std::string_view name = trimmed_of_line(line.substr(0, equals));
        const std::string value(trimmed_of_line(line.substr(equals + 1)));
        if (name == "aws_access_key_id") {
            found.access_key = value;
        } else if (name == "aws_secret_access_key") {
            found.secret_key = Secret(value);
        } else if (name == "aws_session_token") {
            found.session_token = Secret(value);
        }
    }
    if (found.access_key.empty() || found.secret_key.empty()) {
        return Error(Code::kUnauthenticated,
                     "has no aws_access_key_id and aws_secret_access_key under [" + profile + "]");
    }
    return found;
}

CredentialSource lasting(Credentials credentials) {
    return [kept = std::move(credentials)]() -> Result<Credentials> { return kept; };
}

Result<CredentialSource> find_credentials(const CredentialPlaces& places) {
    const std::string named = variable(places, "AWS_PROFILE");
    const std::string profile = named.empty() ? "default" : named;
    if (!places.file.empty()) {
        AKIDB_TRY(Credentials read, read_file(places.file, profile));
        return lasting(std::move(read));
    }
    Credentials found{variable(places, "AWS_ACCESS_KEY_ID"),
                      Secret(variable(places, "AWS_SECRET_ACCESS_KEY")),
                      Secret(variable(places, "AWS_SESSION_TOKEN"))};
    if (!found.access_key.empty() && !found.secret_key.empty()) {
        return lasting(std::move(found));
    }
    std::string shared = variable(places, "AWS_SHARED_CREDENTIALS_FILE");
    if (const std::string home = variable(places, "HOME"); shared.empty() && !home.empty()) {
        shared = home + "/.aws/credentials";
    }
    if (!shared.empty()) {
        Result<Credentials> read = read_file(shared, profile);
        if (read) {
            return lasting(std::move(*read));
        }
        if (read.error().code() != Code::kNotFound) {
            return std::move(read).error();
        }
    }
    if (places.instance != nullptr) {
        return CredentialSource([instance = places.instance] { return instance->get(); });
    }
    return Error(Code::kUnauthenticated,
                 "no credentials for S3: name a file (s3.credentials_file or --credentials-file), set "
                 "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, write ~/.aws/credentials, or allow those of "
                 "the machine (s3.instance_credentials or --instance-credentials)");
}

}  // namespace akidb::objects
