// The tree under a SimFileSystem: files and directories, each as the process sees it and as the disk holds
// it, and the changes of names in between. Private to the simulator's file system. Offsets in bytes.
// Thread-compatible. Durable is what a power cut leaves; the rest may be lost in any of the ways of
// CrashModel.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sim/content.h"
#include "sim/sim_file_system.h"

namespace akidb::sim {

/// Bytes on their way to the disk. Zeros of preallocate are not stored.
struct PendingWrite {
    uint64_t offset = 0;
    std::string bytes;
    uint64_t zeros = 0;

    uint64_t length() const { return bytes.size() + zeros; }
    uint64_t end() const { return offset + length(); }
    /// The first `count` bytes of it.
    void apply_to(Content& content, uint64_t count) const {
        if (zeros > 0) {
            content.write_zeros(offset, offset + std::min(count, zeros));
        } else {
            content.write(offset, std::string_view(bytes).substr(0, count));
        }
    }
};

struct File {
    SharedContent visible;
    SharedContent durable;
    std::vector<PendingWrite> pending;
    bool locked = false;

    void write(uint64_t offset, std::string_view bytes) {
        if (bytes.empty()) {
            return;
        }
        visible.write().write(offset, bytes);
        pending.push_back({offset, std::string(bytes), 0});
    }
    void write_zeros(uint64_t offset, uint64_t end) {
        visible.write().write_zeros(offset, end);
        pending.push_back({offset, {}, end - offset});
    }
    void sync() {
        for (const PendingWrite& write : pending) {
            write.apply_to(durable.write(), write.length());
        }
        pending.clear();
    }
};

struct Node {
    std::shared_ptr<File> file;  // one of the two is set
    std::shared_ptr<Directory> directory;

    explicit operator bool() const { return file || directory; }
    bool operator==(const Node&) const = default;
};

struct Directory {
    std::map<std::string, Node, std::less<>> visible;
    std::map<std::string, Node, std::less<>> durable;
};

struct NameEdit {
    std::shared_ptr<Directory> directory;
    std::string name;
    Node node;  // empty: the name goes
};

/// One step: all of its edits or none.
struct NameChange {
    std::vector<NameEdit> edits;

    bool touches(const Directory* directory) const {
        return std::any_of(edits.begin(), edits.end(),
                           [&](const NameEdit& edit) { return edit.directory.get() == directory; });
    }
};

inline void apply(const NameEdit& edit, std::map<std::string, Node, std::less<>>& names) {
    if (edit.node) {
        names[edit.name] = edit.node;
    } else {
        names.erase(edit.name);
    }
}

Error sim_error(Code code, std::string_view call, const std::string& path, std::string_view reason);
Error fault_error(Fault fault, std::string_view call, const std::string& path);
std::string_view name_of(Verb verb);
/// Whether this very call can have the fault.
bool applies(Fault fault, Verb verb, uint64_t bytes, bool needs_space);
inline bool is_misread(Fault fault) {
    return fault == Fault::kFlippedBit || fault == Fault::kMisdirectedRead;
}

}  // namespace akidb::sim
