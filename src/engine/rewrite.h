// Rewrite: a fresh generation made of the live documents of another one, while that one serves and is written
// to. Dead rows cost memory, disk and recall (walks pass through them); here they end, and with them all wear
// of the graph, its codes and its calibration (index design §2.1, §3.9). The rows go straight into segment
// files, which are mapped, so that memory holds only one copy of the vectors more than before where they were
// in memory and none where they were mapped. Vectors that come from files are checked against their checksums
// first: a rewrite must not turn damage into good checksums.
//
// In order: advance() until it says true; then, while no write can come between, follow() a last time and let
// the target take the source's place; then a checkpoint, whose manifest names files(). Until that manifest is
// durable the old files and the log hold everything. One thread; readers never see the target before that.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "engine/snapshot.h"
#include "io/file_system.h"
#include "storage/manifest.h"

namespace akidb::engine {

/// Rows given codes per job: some 50 ms.
inline constexpr uint32_t kEncodeSliceRows = 16'384;

struct RewritePlan {
    std::shared_ptr<const Snapshot> source;
    std::shared_ptr<Generation> target;  // empty, with the same metadata indexes declared
    std::string segment_directory;
    Uuid collection;
    uint64_t version = 0;            // in the names of its files: not used before
    uint64_t segment_bytes_max = 0;  // of vectors in a file, about
    uint32_t graph_rows_min = 0;     // fewer live rows get no graph
    uint32_t link_slice_rows = 0;
};

class Rewrite {
  public:
    using Link = FunctionRef<void(index::Graph& graph, uint32_t end)>;

    Rewrite(io::FileSystem& files, RewritePlan plan);

    /// A slice of work, some 50 ms or one file. True once everything that `newest` sees is in the target and
    /// was nearly there the time before, and the rows that the rewrite began with are linked, indexed and
    /// measured; later ones are the target's head, as they are the source's. kDataLoss when a file that it
    /// read from is damaged, else what storage says; then nothing is left but to drop it.
    /// `link` links rows of the target's graph up to `end`, or fewer when it is cancelled.
    Result<bool> advance(const Snapshot& newest, FunctionRef<bool()> cancelled, Link link,
                         index::SearchScratch& scratch);
    /// What `newest`, of the source's generation, has seen since: deaths and new rows.
    Result<void> follow(const Snapshot& newest);

    const std::shared_ptr<Generation>& target() const { return plan_.target; }
    /// Whether an error of advance() came before this was known, so that it tells of the source.
    bool has_checked_source() const { return is_checked_; }
    uint64_t live() const { return live_; }
    uint64_t live_at_start() const { return live_rows_.size(); }
    const std::vector<storage::ManifestRows>& files() const { return written_; }
    /// Of files(): what must not be taken for strays.
    std::vector<std::string> file_names() const;

    /// Of the rows that it began with: copied, and linked where there will be a graph.
    uint64_t done() const;
    uint64_t total() const;

  private:
    /// Rows of the target that the vector's graph is to hold before the target serves.
    uint32_t to_link(const VectorIndex& index) const;
    Result<void> check_source(FunctionRef<bool()> cancelled);
    Result<void> write_file();
    bool advance_index(VectorIndex& index, FunctionRef<bool()> cancelled, Link link,
                       index::SearchScratch& scratch) const;
    Result<bool> catch_up(const Snapshot& newest, FunctionRef<bool()> cancelled);

    io::FileSystem& files_;
    const RewritePlan plan_;
    std::vector<uint32_t> live_rows_;  // of the source, at its snapshot
    size_t copied_ = 0;                // of live_rows_
    bool is_checked_ = false;
    std::vector<uint32_t> target_row_;  // of each source row that was looked at; kNoRow for the dead
    uint64_t followed_sequence_ = 0;
    uint64_t live_ = 0;  // in the target
    std::vector<storage::ManifestRows> written_;
};

}  // namespace akidb::engine
