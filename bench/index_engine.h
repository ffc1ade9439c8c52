// IndexEngine: an index as index_bench sees it, ours or a peer's: it takes rows in one order, is built once,
// and then answers queries that it gets as the file has them; turning one into the index's own form is part
// of the search. Row numbers are positions in that order. Errors are std::runtime_error. One thread at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/brute_force.h"
#include "bench/vector_file.h"

namespace akidb::bench {

/// The base in the order in which engines insert it; whoever makes it keeps both parts.
struct OrderedBase {
    const VectorFile& file;
    std::span<const uint32_t> order;

    size_t rows() const { return order.size(); }
    size_t dimension() const { return file.dimension(); }
    std::span<const float> row(size_t position) const { return file.row(order[position]); }
};

// AkiDB's own defaults, which akidb_engine.cc holds against those of the graph.
inline constexpr uint32_t kDegree = 32;
inline constexpr uint32_t kBuildEf = 160;
inline constexpr float kAlpha = 1.04F;

struct EngineOptions {
    Metric metric = Metric::kCosine;
    std::string codec = "auto";
    std::string layout = "turbo";
    uint32_t degree = kDegree;
    uint32_t build_ef = kBuildEf;
    float alpha = kAlpha;
    uint32_t threads = 1;         // that build; one builds the same graph of ours every time
    std::string storage = "f32";  // of our rows
    // What ours is told to do without, to see what it brings.
    bool walks_floats = false;  // no codes
    bool fixed_beams = false;   // walks end where the beam does
    bool small_pages = false;
    std::string kernels;     // a set of simd/kernels.h; empty: the best here
    std::string peer_index;  // a file that keeps the peer's index between runs; empty: none
};

struct Width {
    size_t k = 10;
    size_t ef = 10;
};

struct TimeSpent {
    double cpu_s = 0;
    double wall_s = 0;
};

class IndexEngine {
  public:
    virtual ~IndexEngine() = default;
    virtual std::string name() const = 0;
    virtual std::string codec() const = 0;
    virtual std::string layout() const = 0;
    /// After build(): what was built, for a reader.
    virtual std::string description() const = 0;

    virtual TimeSpent build() = 0;
    /// Narrower searches for k rows are this one.
    virtual size_t narrowest_ef(size_t k) const = 0;
    /// At most width.k positions, nearest first, in place of what `positions` holds.
    virtual void search(std::span<const float> query, Width width, std::vector<uint32_t>& positions) = 0;
    /// Distances that this search computes one by one, by codes or by rows. Not timed.
    virtual uint64_t count_distances(std::span<const float> query, Width width) = 0;

    /// What searches need in memory; originals count where a walk reads them, and not where they are only
    /// reranked from or not read.
    virtual double bytes_per_vector() const = 0;
    /// Originals kept apart from the index, whether counted above or not.
    virtual double original_bytes_per_vector() const = 0;
};

/// Throws when codec or layout is not one of those allowed.
std::unique_ptr<IndexEngine> make_akidb_engine(OrderedBase base, const EngineOptions& options);
/// Throws when the program was built without the library.
std::unique_ptr<IndexEngine> make_hnswlib_engine(OrderedBase base, const EngineOptions& options);

/// Wall and processor time since it was made: of the whole process, as a build has many threads, or of this
/// thread.
class Timer {
  public:
    enum class Of { kProcess, kThread };
    explicit Timer(Of of = Of::kProcess);
    TimeSpent elapsed() const;

  private:
    Of of_;
    TimeSpent start_;
};

}  // namespace akidb::bench
