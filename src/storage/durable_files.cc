#include "storage/durable_files.h"

namespace akidb::storage {

std::string join_path(std::string_view directory, std::string_view name) {
    std::string path(directory);
    path += '/';
    path += name;
    return path;
}

Error damage(std::string_view path, uint64_t offset, std::string_view what) {
    std::string message(path);
    message += " at offset " + std::to_string(offset) + ": ";
    message += what;
    return Error(Code::kDataLoss, std::move(message));
}

Result<void> make_durable_directory(io::FileSystem& files, const std::string& path) {
    AKIDB_TRY(files.make_directory(path));
    size_t slash = path.find_last_of('/');
    std::string parent = slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
    return files.sync_directory(parent);
}

void remove_best_effort(io::FileSystem& files, const std::string& path) {
    Result<void> ignored = files.remove(path);
    static_cast<void>(ignored);
}

}  // namespace akidb::storage
