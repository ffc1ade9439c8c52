#include "loop_disk.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace akidb::e2e {
namespace {

constexpr off_t kDiskBytes = off_t{320} << 20;
// The same number for ext4 and xfs (linux/fs: EXT4_IOC_SHUTDOWN, XFS_IOC_GOINGDOWN).
constexpr unsigned long kShutDown = _IOR('X', 125, uint32_t);
constexpr uint32_t kWithoutFlushingTheJournal = 2;

bool runs(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace

LoopDisk::LoopDisk(const std::string& type) : mount_point_(files_.path() + "/disk") {
    const std::string image = image_path();
    const int file = ::open(image.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const bool is_made = file >= 0 && ::ftruncate(file, kDiskBytes) == 0;
    ::close(file);
    if (!is_made || ::mkdir(mount_point_.c_str(), 0700) != 0) {
        why_ = "no space for a disk image";
    } else if (!runs("mkfs." + type + (type == "ext4" ? " -q -m 0 " : " -q -K ") + image)) {
        why_ = "mkfs." + type + " cannot be run here";
    } else if (!runs("mount -o loop " + image + " " + mount_point_)) {
        why_ = "mounting a loop device is not permitted here";
    }
}

LoopDisk::~LoopDisk() {
    if (why_.empty()) {
        ::umount2(mount_point_.c_str(), MNT_DETACH);
    }
}

uint64_t LoopDisk::free_bytes() const {
    struct statvfs status {};
    return ::statvfs(mount_point_.c_str(), &status) == 0 ? uint64_t{status.f_bavail} * status.f_frsize : 0;
}

void LoopDisk::leave_free(uint64_t bytes) {
    const uint64_t free = free_bytes();
    if (free <= bytes) {
        return;
    }
    const std::string path = mount_point_ + "/filler" + std::to_string(fillers_++);
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    // In pieces where one is not to be had: what a file system counts as free may lie in several.
    const auto wanted = static_cast<off_t>(free - bytes);
    off_t at = 0;
    for (off_t piece = wanted; piece >= 4096; piece /= 2) {
        while (at + piece <= wanted && ::fallocate(file, 0, at, piece) == 0) {
            at += piece;
        }
    }
    ::close(file);
}

void LoopDisk::take_the_rest() {
    const std::string path = mount_point_ + "/filler" + std::to_string(fillers_++);
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    off_t at = 0;
    for (off_t piece = off_t{64} << 20; piece >= 512; piece /= 2) {
        while (::fallocate(file, 0, at, piece) == 0) {
            at += piece;
        }
    }
    ::fsync(file);
    ::close(file);
}

void LoopDisk::give_back() {
    while (fillers_ > 0) {
        ::unlink((mount_point_ + "/filler" + std::to_string(--fillers_)).c_str());
    }
}

bool LoopDisk::shut_down() {
    const int directory = ::open(mount_point_.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_done = directory >= 0 && ::ioctl(directory, kShutDown, &kWithoutFlushingTheJournal) == 0;
    ::close(directory);
    return is_done;
}

bool LoopDisk::remount(const std::string& options) {
    return runs("mount -o remount," + options + " " + mount_point_);
}

std::string LoopDisk::image_path() const {
    return files_.path() + "/image";
}

bool LoopDisk::mend() {
    constexpr int kMended = 1;
    if (::umount(mount_point_.c_str()) != 0) {
        return false;
    }
    const int outcome = std::system(("e2fsck -fy " + image_path() + " >/dev/null 2>&1").c_str());
    return WIFEXITED(outcome) && WEXITSTATUS(outcome) <= kMended &&
           runs("mount -o loop " + image_path() + " " + mount_point_);
}

}  // namespace akidb::e2e
