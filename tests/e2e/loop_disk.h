// LoopDisk: a small disk of its own for a test: a file system of a given type in a file, mounted through a
// loop device, with a filler that takes its free space and gives it back. Needs the right to mount;
// why_unavailable() says in words what is missing. Unmounted and removed with the object. Thread-compatible.
#pragma once

#include <cstdint>
#include <string>

#include "server_process.h"

namespace akidb::e2e {

class LoopDisk {
  public:
    /// `type`: ext4 or xfs. Small, but xfs refuses to be smaller than 300 MB; the file is sparse.
    explicit LoopDisk(const std::string& type);
    ~LoopDisk();
    LoopDisk(const LoopDisk&) = delete;
    LoopDisk& operator=(const LoopDisk&) = delete;

    /// Empty when the disk is mounted.
    const std::string& why_unavailable() const { return why_; }
    const std::string& path() const { return mount_point_; }

    uint64_t free_bytes() const;
    /// Takes free space until only this much is left.
    void leave_free(uint64_t bytes);
    /// Takes all of it, to the last block.
    void take_the_rest();
    void give_back();
    /// Cuts the file system off from its disk, as a broken cable would: from now on writes and syncs fail.
    bool shut_down();
    bool remount(const std::string& options);
    /// Unmounts it (nothing may have a file open), has ext4's own tool mend it, and mounts it again.
    bool mend();

  private:
    std::string image_path() const;

    TemporaryDirectory files_;
    std::string mount_point_;
    std::string why_;
    int fillers_ = 0;
};

}  // namespace akidb::e2e
