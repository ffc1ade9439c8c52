// Where backups may go.
#include "base/printable.h"
#include "service/backups.h"

namespace akidb::service {
namespace {

Error wrong_place(const std::string& to, std::string_view why) {
    return invalid_argument("to", "'" + printable(to) + "' " + std::string(why),
                            "an absolute path outside the data directory, or s3://BUCKET/PREFIX");
}

}  // namespace

Result<void> check_backup_place(const std::string& to, const std::string& data) {
    if (to.empty() || to.size() > backup::kBackupTextBytesMax || to.find('\0') != std::string::npos) {
        return wrong_place(to, "is no place for backups");
    }
    if (backup::is_s3_place(to)) {
        objects::S3Options ignored;
        const Result<void> parsed = objects::parse_s3_url(to, ignored);
        return parsed ? Result<void>() : wrong_place(to, "is no place in S3");
    }
    if (!to.starts_with('/') || to == "/" || (to + "/").find("/../") != std::string::npos) {
        return wrong_place(to, "is no absolute path");
    }
    if ((to + "/").starts_with(data + "/")) {
        return wrong_place(to, "lies in the data directory, whose loss it would share");
    }
    return {};
}

bool are_places_apart(const std::string& one, const std::string& other) {
    const auto as_folder = [](std::string place) {
        while (place.ends_with('/')) {
            place.pop_back();
        }
        return place + "/";
    };
    const std::string a = as_folder(one);
    const std::string b = as_folder(other);
    return !a.starts_with(b) && !b.starts_with(a);
}

}  // namespace akidb::service
