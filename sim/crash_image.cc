#include <set>
#include <unordered_map>
#include <utility>

#include "sim/sim_tree.h"

namespace akidb::sim {

constexpr uint64_t kSector = 512;

const char* name_of(CrashModel model) {
    switch (model) {
        case CrashModel::kAllUnsyncedLost:
            return "all unsynced lost";
        case CrashModel::kAllKept:
            return "all kept";
        case CrashModel::kPrefixPerFile:
            return "prefix per file";
        case CrashModel::kRandomSectors:
            return "random sectors";
        case CrashModel::kTornLastPage:
            return "torn last page";
        case CrashModel::kReorderedNames:
            return "reordered names";
        case CrashModel::kGrownButZero:
            return "grown but zero";
    }
    return "?";
}

/// Builds the tree that a disk holds after a power cut. First it chooses the changes of names that reached
/// the disk, then it copies what can be reached from the root, choosing for each file what of its unsynced
/// bytes did.
class ImageBuilder {
  public:
    ImageBuilder(const SimFileSystem& source, CrashModel model, uint64_t seed)
        : source_(source), model_(model), dice_(seed) {}

    void build_into(SimFileSystem& image) {
        choose_names();
        image.root_ = copy(source_.root_);
    }

  private:
    struct Cut {
        uint64_t changes = 0;  // pending ones of the directory
        uint64_t kept = 0;     // the first so many of them
        uint64_t seen = 0;
    };

    void choose_names() {
        if (model_ == CrashModel::kAllUnsyncedLost) {
            return;
        }
        const bool prefix =
            model_ == CrashModel::kPrefixPerFile || (model_ == CrashModel::kRandomSectors && dice_.coin());
        std::vector<bool> kept(source_.pending_.size(), true);
        if (prefix) {
            kept = keep_prefixes();
        } else if (model_ == CrashModel::kReorderedNames) {
            for (size_t i = 0; i < kept.size(); ++i) {
                kept[i] = dice_.coin();
            }
        }
        for (size_t i = 0; i < kept.size(); ++i) {
            if (kept[i]) {
                for (const NameEdit& edit : source_.pending_[i].edits) {
                    kept_edits_[edit.directory.get()].push_back(&edit);
                }
            }
        }
    }

    std::vector<bool> keep_prefixes() {
        std::unordered_map<const Directory*, Cut> cuts;
        for (const NameChange& change : source_.pending_) {
            for (const Directory* directory : directories_of(change)) {
                ++cuts[directory].changes;
            }
        }
        std::vector<bool> kept;
        for (const NameChange& change : source_.pending_) {
            bool keep = true;
            for (const Directory* directory : directories_of(change)) {
                Cut& cut = cuts[directory];
                if (cut.seen == 0) {
                    cut.kept = dice_.below(cut.changes + 1);
                }
                keep = cut.seen++ < cut.kept && keep;
            }
            if (!keep) {  // a step between two directories that one of them lost ends the prefix of the other
                          // too
                for (const Directory* directory : directories_of(change)) {
                    cuts[directory].kept = 0;
                }
            }
            kept.push_back(keep);
        }
        return kept;
    }

    /// One or two, in the order of the edits, so that a seed means the same in every run.
    static std::vector<const Directory*> directories_of(const NameChange& change) {
        std::vector<const Directory*> found;
        for (const NameEdit& edit : change.edits) {
            if (found.empty() || found.back() != edit.directory.get()) {
                found.push_back(edit.directory.get());
            }
        }
        return found;
    }

    std::shared_ptr<Directory> copy(const std::shared_ptr<Directory>& directory) {
        std::shared_ptr<Directory>& made = directories_[directory.get()];
        if (made) {
            return made;
        }
        made = std::make_shared<Directory>();
        const std::shared_ptr<Directory> result = made;
        std::map<std::string, Node, std::less<>> names = directory->durable;
        for (const NameEdit* edit : kept_edits_[directory.get()]) {
            apply(*edit, names);
        }
        for (const auto& [name, node] : names) {
            const Node twin =
                node.file ? Node{copy(node.file), nullptr} : Node{nullptr, copy(node.directory)};
            result->visible.emplace_hint(result->visible.end(), name, twin);
        }
        result->durable = result->visible;
        return result;
    }

    std::shared_ptr<File> copy(const std::shared_ptr<File>& file) {
        std::shared_ptr<File>& made = files_[file.get()];
        if (!made) {
            made = std::make_shared<File>();
            made->durable = file->durable;
            if (!file->pending.empty()) {
                keep_some(*file, made->durable);
            }
            made->visible = made->durable;
        }
        return made;
    }

    /// `content` is the file's durable one; makes it what the disk holds.
    void keep_some(const File& file, SharedContent& content) {
        switch (model_) {
            case CrashModel::kAllUnsyncedLost:
                return;
            case CrashModel::kAllKept:
            case CrashModel::kReorderedNames:
                keep_all(file, content.write());
                return;
            case CrashModel::kPrefixPerFile:
                keep_prefix(file, content.write());
                return;
            case CrashModel::kRandomSectors:
                keep_sectors(file, content.write());
                return;
            case CrashModel::kTornLastPage:
                keep_all(file, content.write());
                tear_last_page(file, content.write());
                return;
            case CrashModel::kGrownButZero:
                keep_sizes(file, content.write());
                return;
        }
    }

    static void keep_all(const File& file, Content& content) {
        for (const PendingWrite& write : file.pending) {
            write.apply_to(content, write.length());
        }
    }

    void keep_prefix(const File& file, Content& content) {
        uint64_t total = 0;
        for (const PendingWrite& write : file.pending) {
            total += write.length();
        }
        uint64_t left = dice_.below(total + 1);
        for (const PendingWrite& write : file.pending) {
            const uint64_t count = std::min(left, write.length());
            if (count == 0) {
                return;
            }
            write.apply_to(content, count);
            left -= count;
        }
    }

    void keep_sectors(const File& file, Content& content) {
        Content full = content;
        keep_all(file, full);
        std::set<uint64_t> sectors;
        uint64_t size = content.size();
        for (const PendingWrite& write : file.pending) {
            if (write.bytes.empty()) {
                size = std::max(size, write.offset + dice_.below(write.zeros + 1));
                continue;
            }
            for (uint64_t sector = write.offset / kSector; sector * kSector < write.end(); ++sector) {
                sectors.insert(sector);
            }
        }
        for (const uint64_t sector : sectors) {
            if (dice_.coin()) {
                const uint64_t end = std::min(full.size(), (sector + 1) * kSector);
                content.copy_range(full, sector * kSector, end);
            }
        }
        size = std::max(size, dice_.coin() ? full.size() : content.size());
        content.resize(size);
    }

    void tear_last_page(const File& file, Content& content) {
        const PendingWrite& last = file.pending.back();
        if (last.length() == 0) {
            return;
        }
        const uint64_t page = (last.end() - 1) / Content::kPage * Content::kPage;
        const uint64_t start = std::max(page, last.offset);
        const uint64_t tear = start + dice_.below(last.end() - start + 1);
        const uint64_t size = content.size();
        const Content& old = file.durable.read();
        if (dice_.coin()) {
            content.copy_range(old, start, tear);
        } else {
            content.copy_range(old, tear, last.end());
            if (dice_.coin()) {
                content.resize(std::max(old.size(), tear));
                return;
            }
        }
        content.resize(size);
    }

    void keep_sizes(const File& file, Content& content) {
        Content full = content;
        keep_all(file, full);
        content.resize(std::max(content.size(), full.size()));
        if (dice_.coin()) {
            return;
        }
        for (const PendingWrite& write : file.pending) {  // some pages were written back, in no order
            for (uint64_t page = write.offset / Content::kPage;
                 !write.bytes.empty() && page * Content::kPage < write.end(); ++page) {
                if (dice_.coin()) {
                    content.copy_range(full, page * Content::kPage,
                                       std::min(full.size(), (page + 1) * Content::kPage));
                }
            }
        }
    }

    const SimFileSystem& source_;
    CrashModel model_;
    Dice dice_;
    std::unordered_map<const Directory*, std::vector<const NameEdit*>> kept_edits_;
    std::unordered_map<const Directory*, std::shared_ptr<Directory>> directories_;
    std::unordered_map<const File*, std::shared_ptr<File>> files_;
};

std::unique_ptr<SimFileSystem> SimFileSystem::crash_image(CrashModel model, uint64_t seed) const {
    auto image = std::make_unique<SimFileSystem>(seed);
    ImageBuilder(*this, model, seed).build_into(*image);
    image->free_bytes_ = free_bytes_;
    image->capacity_ = capacity_;
    return image;
}

}  // namespace akidb::sim
