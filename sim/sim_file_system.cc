#include "sim/sim_file_system.h"

#include <utility>

#include "base/assert.h"
#include "sim/sim_handles.h"
#include "sim/sim_tree.h"

namespace akidb::sim {
namespace {

/// Names between slashes; "." and empty ones fall away, so relative paths start at the root too.
std::vector<std::string_view> parts_of(std::string_view path) {
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const size_t slash = std::min(path.find('/'), path.size());
        const std::string_view part = path.substr(0, slash);
        if (!part.empty() && part != ".") {
            AKIDB_ASSERT(part != "..");
            parts.push_back(part);
        }
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return parts;
}

Error missing(std::string_view call, const std::string& path) {
    return sim_error(Code::kNotFound, call, path, "No such file or directory");
}

bool is_full(Fault fault) {
    return fault == Fault::kDiskFull || fault == Fault::kQuota;
}

bool holds(const Directory& above, const Directory* wanted) {
    return &above == wanted ||
           std::any_of(above.visible.begin(), above.visible.end(), [&](const auto& entry) {
               return entry.second.directory && holds(*entry.second.directory, wanted);
           });
}

uint64_t sum_of_files(const Directory& directory, const std::function<uint64_t(const File&)>& measure) {
    uint64_t sum = 0;
    for (const auto& [name, node] : directory.visible) {
        sum += node.file ? measure(*node.file) : sum_of_files(*node.directory, measure);
    }
    return sum;
}

}  // namespace

std::string_view name_of(Verb verb) {
    constexpr std::string_view kNames[] = {"create", "append", "preallocate", "sync",   "close", "rename",
                                           "remove", "mkdir",  "rmdir",       "fsync",  "lock",  "open",
                                           "read",   "map",    "list",        "statvfs"};
    return kNames[static_cast<size_t>(verb)];
}

Error sim_error(Code code, std::string_view call, const std::string& path, std::string_view reason) {
    std::string message(call);
    message.append(" ").append(path).append(": ").append(reason);
    return Error(code, std::move(message));
}

struct SimFileSystem::Place {
    std::shared_ptr<Directory> directory;
    std::string name;  // empty for the root itself

    Node node() const {
        const auto found = directory->visible.find(name);
        return found == directory->visible.end() ? Node{} : found->second;
    }
};

SimFileSystem::SimFileSystem(uint64_t seed) : dice_(seed), root_(std::make_shared<Directory>()) {}

SimFileSystem::~SimFileSystem() = default;

Result<std::optional<Fault>> SimFileSystem::begin(Verb verb, const std::string& path, uint64_t bytes,
                                                  bool needs_space) {
    if (observer_ && !power_is_off_) {
        observer_(calls_, verb);
    }
    const uint64_t call = calls_++;
    power_is_off_ = power_is_off_ || call >= power_off_at_;
    if (power_is_off_) {
        return sim_error(Code::kUnavailable, name_of(verb), path, "power is off");
    }
    log_.push_back({verb, path, bytes});
    if (needs_space && capacity_ != UINT64_MAX && total_bytes() + bytes > capacity_) {
        return std::optional<Fault>(Fault::kDiskFull);
    }
    for (auto planned = faults_.begin(); planned != faults_.end(); ++planned) {
        if (call >= planned->from && applies(planned->fault, verb, bytes, needs_space)) {
            const Fault fault = planned->fault;
            if (!planned->sticky) {
                faults_.erase(planned);
            }
            ++faults_hit_;
            return std::optional<Fault>(fault);
        }
    }
    return std::optional<Fault>();
}

Result<void> SimFileSystem::enter(Verb verb, const std::string& path, bool needs_space) {
    AKIDB_TRY(const std::optional<Fault> fault, begin(verb, path, 0, needs_space));
    if (fault) {
        return fault_error(*fault, name_of(verb), path);
    }
    return {};
}

Result<SimFileSystem::Place> SimFileSystem::find_place(const std::string& path, std::string_view call) const {
    const std::vector<std::string_view> parts = parts_of(path);
    std::shared_ptr<Directory> directory = root_;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
        const auto found = directory->visible.find(parts[i]);
        if (found == directory->visible.end()) {
            return missing(call, path);
        }
        if (!found->second.directory) {
            return sim_error(Code::kInternal, call, path, "Not a directory");
        }
        directory = std::shared_ptr<Directory>(found->second.directory);
    }
    return Place{std::move(directory), parts.empty() ? std::string() : std::string(parts.back())};
}

Result<std::shared_ptr<Directory>> SimFileSystem::find_directory(const std::string& path,
                                                                 std::string_view call) const {
    AKIDB_TRY(const Place place, find_place(path, call));
    if (place.name.empty()) {
        return place.directory;
    }
    const Node node = place.node();
    if (!node) {
        return missing(call, path);
    }
    if (!node.directory) {
        return sim_error(Code::kInternal, call, path, "Not a directory");
    }
    return node.directory;
}

Result<std::shared_ptr<File>> SimFileSystem::find_file(const std::string& path, std::string_view call) const {
    AKIDB_TRY(const Place place, find_place(path, call));
    const Node node = place.node();
    if (!node && !place.name.empty()) {
        return missing(call, path);
    }
    if (!node.file) {
        return sim_error(Code::kInternal, call, path, "not a file");
    }
    return node.file;
}

void SimFileSystem::record(NameChange change) {
    for (const NameEdit& edit : change.edits) {
        apply(edit, edit.directory->visible);
    }
    pending_.push_back(std::move(change));
}

void SimFileSystem::settle_names(const Directory* directory, bool keep) {
    // Backwards, because a step between directories takes along what came before it in the other one.
    std::vector<const Directory*> affected{directory};
    std::vector<bool> settled(pending_.size(), false);
    for (size_t i = pending_.size(); i-- > 0;) {
        settled[i] = std::any_of(affected.begin(), affected.end(),
                                 [&](const Directory* one) { return pending_[i].touches(one); });
        for (const NameEdit& edit : pending_[i].edits) {
            if (settled[i] &&
                std::find(affected.begin(), affected.end(), edit.directory.get()) == affected.end()) {
                affected.push_back(edit.directory.get());
            }
        }
    }
    std::vector<NameChange> left;
    for (size_t i = 0; i < pending_.size(); ++i) {
        if (!settled[i]) {
            left.push_back(std::move(pending_[i]));
            continue;
        }
        for (const NameEdit& edit : pending_[i].edits) {
            if (keep) {
                apply(edit, edit.directory->durable);
            }
        }
    }
    pending_ = std::move(left);
}

Result<std::unique_ptr<io::AppendFile>> SimFileSystem::create(const std::string& path) {
    AKIDB_TRY(enter(Verb::kCreate, path, true));
    AKIDB_TRY(Place place, find_place(path, "create"));
    if (place.name.empty() || place.node()) {
        return sim_error(Code::kAlreadyExists, "create", path, "File exists");
    }
    const auto file = std::make_shared<File>();
    record({{{place.directory, place.name, Node{file, nullptr}}}});
    return std::make_unique<SimAppendFile>(*this, file, path);
}

Result<std::unique_ptr<io::ReadFile>> SimFileSystem::open_read(const std::string& path) {
    AKIDB_TRY(enter(Verb::kOpenRead, path));
    AKIDB_TRY(std::shared_ptr<File> file, find_file(path, "open"));
    return std::make_unique<SimReadFile>(*this, std::move(file), path);
}

Result<std::unique_ptr<io::MappedFile>> SimFileSystem::map(const std::string& path) {
    AKIDB_TRY(const std::optional<Fault> fault, begin(Verb::kMap, path, 0, false));
    if (fault && !is_misread(*fault)) {
        return fault_error(*fault, "map", path);
    }
    AKIDB_TRY(const std::shared_ptr<File> file, find_file(path, "map"));
    const Content& content = file->visible.read();
    std::string bytes = content.read(0, content.size());
    return std::make_unique<SimMappedFile>(fault ? spoilt(std::move(bytes), *fault) : std::move(bytes));
}

Result<std::vector<io::DirectoryEntry>> SimFileSystem::list(const std::string& directory) {
    AKIDB_TRY(enter(Verb::kList, directory));
    AKIDB_TRY(const std::shared_ptr<Directory> found, find_directory(directory, "list"));
    std::vector<io::DirectoryEntry> entries;
    for (const auto& [name, node] : found->visible) {
        entries.push_back(
            {name, node.directory != nullptr, node.file ? node.file->visible.read().size() : 0});
    }
    return entries;
}

Result<void> SimFileSystem::rename(const std::string& from, const std::string& to) {
    const std::string both = from + " to " + to;
    AKIDB_TRY(enter(Verb::kRename, both, true));
    AKIDB_TRY(const Place source, find_place(from, "rename"));
    AKIDB_TRY(const Place target, find_place(to, "rename"));
    const Node moved = source.node();
    const Node replaced = target.node();
    if (!moved) {
        return missing("rename", both);
    }
    if (moved == replaced) {
        return {};
    }
    const bool into_itself = moved.directory && holds(*moved.directory, target.directory.get());
    const bool kinds_differ = replaced && (moved.file == nullptr) != (replaced.file == nullptr);
    if (into_itself || kinds_differ || target.name.empty() ||
        (replaced.directory && !replaced.directory->visible.empty())) {
        return sim_error(Code::kInternal, "rename", both, "the target cannot be replaced by this");
    }
    record({{{source.directory, source.name, Node{}}, {target.directory, target.name, moved}}});
    return {};
}

Result<void> SimFileSystem::remove(const std::string& path) {
    AKIDB_TRY(enter(Verb::kRemove, path));
    AKIDB_TRY(const std::shared_ptr<File> file, find_file(path, "remove"));
    AKIDB_TRY(const Place place, find_place(path, "remove"));
    record({{{place.directory, place.name, Node{}}}});
    return {};
}

Result<void> SimFileSystem::make_directory(const std::string& path) {
    AKIDB_TRY(enter(Verb::kMakeDirectory, path, true));
    AKIDB_TRY(const Place place, find_place(path, "mkdir"));
    const Node node = place.node();
    if (node.file) {
        return sim_error(Code::kAlreadyExists, "mkdir", path, "File exists");
    }
    if (!node && !place.name.empty()) {
        record({{{place.directory, place.name, Node{nullptr, std::make_shared<Directory>()}}}});
    }
    return {};
}

Result<void> SimFileSystem::remove_directory(const std::string& path) {
    AKIDB_TRY(enter(Verb::kRemoveDirectory, path));
    AKIDB_TRY(const std::shared_ptr<Directory> directory, find_directory(path, "rmdir"));
    AKIDB_TRY(const Place place, find_place(path, "rmdir"));
    if (!directory->visible.empty() || place.name.empty()) {
        return sim_error(Code::kInternal, "rmdir", path, "Directory not empty");
    }
    record({{{place.directory, place.name, Node{}}}});
    return {};
}

Result<void> SimFileSystem::sync_directory(const std::string& path) {
    AKIDB_TRY(const std::optional<Fault> fault, begin(Verb::kSyncDirectory, path, 0, false));
    AKIDB_TRY(const std::shared_ptr<Directory> directory, find_directory(path, "fsync"));
    if (!fault) {
        settle_names(directory.get(), true);
        return {};
    }
    // Names stay as they are, visible and not durable: unlike data pages, which a failed sync marks clean,
    // journals keep a change of names until it is written, or stop the file system.
    return fault_error(*fault, "fsync", path);
}

Result<std::unique_ptr<io::FileLock>> SimFileSystem::lock(const std::string& path) {
    AKIDB_TRY(const Place place, find_place(path, "lock"));
    AKIDB_TRY(enter(Verb::kLock, path, !place.node()));
    if (!place.node() && !place.name.empty()) {
        record({{{place.directory, place.name, Node{std::make_shared<File>(), nullptr}}}});
    }
    AKIDB_TRY(const std::shared_ptr<File> file, find_file(path, "lock"));
    if (file->locked) {
        return sim_error(Code::kConflict, "lock", path, "held by another process");
    }
    return std::make_unique<SimFileLock>(file);
}

Result<uint64_t> SimFileSystem::free_bytes(const std::string& path) {
    AKIDB_TRY(enter(Verb::kFreeBytes, path));
    AKIDB_TRY(const Place place, find_place(path, "statvfs"));
    if (!place.name.empty() && !place.node()) {
        return missing("statvfs", path);
    }
    const bool full = std::any_of(faults_.begin(), faults_.end(), [&](const PlannedFault& planned) {
        return planned.sticky && is_full(planned.fault) && calls_ > planned.from;
    });
    const uint64_t left = capacity_ - std::min(capacity_, total_bytes());
    return full ? 0 : std::min(free_bytes_, left);
}

void SimFileSystem::fail_call(uint64_t call, Fault fault, bool sticky) {
    faults_.push_back({call, fault, sticky});
}

bool SimFileSystem::bit_flip(const std::string& path, uint64_t offset) {
    const Result<std::shared_ptr<File>> found = find_file(path, "flip");
    if (!found || offset >= (*found)->visible.read().size()) {
        return false;
    }
    File& file = **found;
    const auto flipped = [mask = 1 << dice_.below(8)](std::string byte) {
        byte[0] = static_cast<char>(byte[0] ^ mask);
        return byte;
    };
    const std::string changed = flipped(file.visible.read().read(offset, 1));
    if (!file.pending.empty()) {
        file.write(offset, changed);  // after what waits to be written, or the sync would heal it
    }
    file.visible.write().write(offset, changed);
    if (offset < file.durable.read().size()) {
        file.durable.write().write(offset, flipped(file.durable.read().read(offset, 1)));
    }
    return true;
}

std::shared_ptr<File> SimFileSystem::find_database(const std::string& path) const {
    const Result<std::shared_ptr<File>> found = find_file(path, "open");
    return found ? *found : nullptr;
}

std::shared_ptr<File> SimFileSystem::make_database(const std::string& path) {
    const Result<Place> place = find_place(path, "create");
    if (!place || place->name.empty()) {
        return nullptr;
    }
    const Node node{std::make_shared<File>(), nullptr};
    place->directory->visible[place->name] = node;
    place->directory->durable[place->name] = node;
    return node.file;
}

void SimFileSystem::remove_database(const std::string& path) {
    if (const Result<Place> place = find_place(path, "remove")) {
        place->directory->visible.erase(place->name);
        place->directory->durable.erase(place->name);
    }
}

uint64_t SimFileSystem::file_count() const {
    return sum_of_files(*root_, [](const File&) { return uint64_t{1}; });
}

uint64_t SimFileSystem::total_bytes() const {
    return sum_of_files(*root_, [](const File& file) { return file.visible.read().size(); });
}

}  // namespace akidb::sim
