#include "server/audit_key.h"

#include <optional>

#include "io/private_file.h"

namespace akidb::server {
namespace {

constexpr uint64_t kKeyBytesMax = 4096;

std::string without_line_end(std::string text) {
    text.erase(text.find_last_not_of(" \t\r\n") + 1);
    return text;
}

}  // namespace

Result<access::AuditKey> load_audit_key(io::FileSystem& files, io::Random& random,
                                        const std::string& directory) {
    AKIDB_TRY(files.make_directory(directory));
    const std::string path = directory + "/signing.key";
    Result<std::string> text = io::read_private_file(path, kKeyBytesMax);
    if (!text && text.error().code() == Code::kNotFound) {
        const access::AuditKey made = access::AuditKey::make(random);
        AKIDB_TRY(io::create_private_file(path, made.seed_hex() + "\n"));
        text = made.seed_hex();
    }
    AKIDB_TRY(const std::string seed, std::move(text));
    const std::optional<access::AuditKey> key = access::AuditKey::parse(without_line_end(seed));
    if (!key) {
        return Error(Code::kDataLoss, path + " holds no key: 64 hex digits");
    }
    AKIDB_TRY(
        io::write_file_atomically(files, directory, "public.key", access::to_hex(key->public_key()) + "\n"));
    return *key;
}

}  // namespace akidb::server
