// The file objects a SimFileSystem gives out. Private to it; it must outlive them. Errors, durability and
// threads as io/file_system.h says, and a mapping is a copy of the file at the time of map: files of the
// product do not change after they are mapped.
#pragma once

#include <memory>
#include <string>

#include "sim/sim_tree.h"

namespace akidb::sim {

class SimAppendFile final : public io::AppendFile {
  public:
    SimAppendFile(SimFileSystem& files, std::shared_ptr<File> file, std::string path)
        : files_(files), file_(std::move(file)), path_(std::move(path)) {}

    Result<void> append(std::string_view bytes) override;
    Result<void> preallocate(uint64_t total_bytes) override;
    Result<void> sync() override;
    uint64_t size() const override { return size_; }
    uint64_t allocated() const override { return std::max(size_, allocated_); }
    Result<void> close() override;

  private:
    SimFileSystem& files_;
    std::shared_ptr<File> file_;
    std::string path_;
    uint64_t size_ = 0;
    uint64_t allocated_ = 0;
};

class SimReadFile final : public io::ReadFile {
  public:
    SimReadFile(SimFileSystem& files, std::shared_ptr<File> file, std::string path)
        : files_(files), file_(std::move(file)), path_(std::move(path)) {}

    uint64_t size() const override { return file_->visible.read().size(); }
    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override;

  private:
    SimFileSystem& files_;
    std::shared_ptr<File> file_;
    std::string path_;
};

class SimMappedFile final : public io::MappedFile {
  public:
    explicit SimMappedFile(std::string bytes) : bytes_(std::move(bytes)) {}
    std::string_view bytes() const override { return bytes_; }

  private:
    std::string bytes_;
};

class SimFileLock final : public io::FileLock {
  public:
    explicit SimFileLock(std::shared_ptr<File> file) : file_(std::move(file)) { file_->locked = true; }
    ~SimFileLock() override { file_->locked = false; }
    SimFileLock(const SimFileLock&) = delete;
    SimFileLock& operator=(const SimFileLock&) = delete;

  private:
    std::shared_ptr<File> file_;
};

}  // namespace akidb::sim
