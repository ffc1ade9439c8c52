#include "server/backup_access.h"

#include <unistd.h>

#include <filesystem>

#include "base/digest.h"
#include "server/load_settings.h"

namespace akidb::server {

Uuid lock_owner_of(const std::string& data) {
    char host[256] = {};
    static_cast<void>(::gethostname(host, sizeof(host) - 1));
    std::error_code failed;
    const std::filesystem::path whole = std::filesystem::weakly_canonical(data, failed);
    return Uuid{Digester().add(host).add(":").add(failed ? data : whole.string()).finish().bytes};
}

backup::S3Access s3_access(const settings::Effective& effective) {
    return {.endpoint = effective.text("s3.endpoint"),
            .region = effective.text("s3.region"),
            .addressing = effective.text("s3.addressing") == "host" ? objects::Addressing::kHost
                                                                    : objects::Addressing::kPath,
            .ca_file = effective.text("s3.ca_file"),
            .credentials = {effective.text("s3.credentials_file"), s3_environment()}};
}

}  // namespace akidb::server
