#include "power_cut.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

namespace akidb::crash {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSector = 512;

std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

ino_t inode_of(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        throw std::runtime_error("cannot look at " + path);
    }
    return status.st_ino;
}

std::set<std::string> names_in(const std::string& directory) {
    std::set<std::string> names;
    std::error_code none;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, none)) {
        names.insert(entry.path().filename().string());
    }
    return names;
}

}  // namespace

PowerCut::PowerCut(std::string data, std::string shadow, uint64_t seed)
    : data_(std::move(data)), shadow_(std::move(shadow)), image_(data_ + ".image"), random_(seed) {
    fs::create_directories(data_);
    take_for_durable();
}

std::vector<std::pair<std::string, std::string>> PowerCut::environment(const std::string& layer) const {
    return {{"LD_PRELOAD", layer}, {"POWER_DATA", data_}, {"POWER_SHADOW", shadow_}};
}

void PowerCut::cut(Unsynced unsynced) {
    ++loss_.cuts;
    fs::remove_all(image_);
    fs::create_directories(image_);
    leave("", unsynced);
    fs::remove_all(data_);
    fs::rename(image_, data_);
    take_for_durable();
}

/// One directory, which is durable itself.
void PowerCut::leave(const std::string& under, Unsynced unsynced) {
    const std::string real = data_ + under;
    const std::string durable = shadow_ + "/tree" + under;
    std::set<std::string> names = names_in(real);
    names.merge(names_in(durable));
    for (const std::string& name : names) {
        const std::string path = under + "/" + name;
        const bool is_real = fs::exists(real + "/" + name);
        const bool is_durable = fs::exists(durable + "/" + name);
        const bool takes_real = is_real != is_durable && unsynced == Unsynced::kPartlyKept && coin();
        if (is_real && !is_durable && !takes_real) {
            ++loss_.names_lost;
            continue;
        }
        if (is_durable && !is_real) {
            if (takes_real) {
                continue;
            }
            ++loss_.names_back;
        }
        if (fs::is_directory((is_real ? real : durable) + "/" + name)) {
            fs::create_directory(image_ + path);
            leave(path, unsynced);
        } else {
            leave_file(path, unsynced);
        }
    }
}

/// A name may stand for two files: the one it was synced as, and the one it is now.
void PowerCut::leave_file(const std::string& name, Unsynced unsynced) {
    const std::string real = data_ + name;
    const std::string durable = shadow_ + "/tree" + name;
    Content content;
    if (!fs::exists(real)) {
        content.real = content.durable = read(durable);
    } else {
        const std::string synced = shadow_ + "/inodes/" + std::to_string(inode_of(real));
        const bool is_new_file =
            fs::exists(durable) && (!fs::exists(synced) || inode_of(synced) != inode_of(durable));
        if (is_new_file && (unsynced == Unsynced::kLost || coin())) {
            content.real = content.durable = read(durable);
            ++loss_.names_lost;
        } else {
            content = {.durable = read(synced), .real = read(real)};
        }
    }
    const std::string left = mixed(content, unsynced);
    std::ofstream(image_ + name, std::ios::binary) << left;
    fs::permissions(image_ + name, fs::status(fs::exists(real) ? real : durable).permissions());
}

std::string PowerCut::mixed(const Content& content, Unsynced unsynced) {
    std::string left = content.durable;
    const bool takes_size = unsynced == Unsynced::kPartlyKept && coin();
    if (takes_size) {
        left.resize(content.real.size(), '\0');
    }
    for (size_t at = 0; at < content.real.size(); at += kSector) {
        const size_t size = std::min(kSector, content.real.size() - at);
        const std::string_view real = std::string_view(content.real).substr(at, size);
        if (at < content.durable.size() && std::string_view(content.durable).substr(at, size) == real) {
            continue;
        }
        if (at + size <= left.size() && unsynced == Unsynced::kPartlyKept && coin()) {
            left.replace(at, size, real);
            ++loss_.sectors_kept;
        } else {
            ++loss_.sectors_lost;
        }
    }
    return left;
}

void PowerCut::take_for_durable() {
    fs::remove_all(shadow_);
    fs::create_directories(shadow_ + "/inodes");
    fs::create_directories(shadow_ + "/tree");
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(data_)) {
        const std::string tree = shadow_ + "/tree" + entry.path().string().substr(data_.size());
        if (entry.is_directory()) {
            fs::create_directory(tree);
            continue;
        }
        const std::string inode = shadow_ + "/inodes/" + std::to_string(inode_of(entry.path()));
        fs::copy_file(entry.path(), inode);
        fs::create_hard_link(inode, tree);
    }
}

}  // namespace akidb::crash
