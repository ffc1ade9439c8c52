#include "engine/scrub.h"

#include <algorithm>

namespace akidb::engine {

Scrub::Scrub(io::FileSystem& files, std::string segment_directory, const storage::Manifest& manifest)
    : io_(files), directory_(std::move(segment_directory)), collection_(manifest.collection) {
    for (const storage::ManifestRows& rows : manifest.rows) {
        files_.push_back({rows.file, storage::SegmentKind::kRows});
    }
    if (manifest.graph.has_value()) {
        files_.push_back({*manifest.graph, storage::SegmentKind::kGraph});
    }
    for (const storage::ManifestVector& vector : manifest.vectors) {
        if (vector.graph.has_value()) {
            files_.push_back({*vector.graph, storage::SegmentKind::kGraph});
        }
    }
    if (manifest.dead.has_value()) {
        files_.push_back({*manifest.dead, storage::SegmentKind::kDead});
    }
    if (manifest.keys.has_value()) {
        files_.push_back({*manifest.keys, storage::SegmentKind::kKeys});
    }
    for (const File& file : files_) {
        total_ += file.entry.bytes;
    }
}

void Scrub::leave_file() {
    done_ += files_[next_].entry.bytes;
    of_this_file_ = 0;
    reading_.reset();
    ++next_;
}

Result<uint64_t> Scrub::advance(const storage::Manifest& now, uint64_t bytes_max) {
    const std::vector<std::string> named = storage::segment_names(now);
    while (!has_read_all() && !std::binary_search(named.begin(), named.end(), files_[next_].entry.name)) {
        leave_file();
    }
    if (has_read_all()) {
        return uint64_t{0};
    }
    const File& file = files_[next_];
    file_name_ = file.entry.name;
    if (!reading_.has_value()) {
        Result<storage::SegmentScrub> opened =
            storage::SegmentScrub::open(io_, directory_, file.entry, file.kind, collection_);
        if (!opened.has_value()) {
            leave_file();
            return std::move(opened).error();
        }
        reading_.emplace(std::move(opened).value());
    }
    Result<uint64_t> read = reading_->advance(bytes_max);
    if (!read.has_value() || reading_->is_done()) {
        leave_file();
    } else {
        of_this_file_ += *read;
    }
    return read;
}

}  // namespace akidb::engine
