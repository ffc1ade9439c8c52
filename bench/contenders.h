// Contenders: engines over the same rows in the same order, built one after another and then measured in turn
// in one process, so that what disturbs the machine disturbs them alike. Errors are std::runtime_error.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/index_engine.h"
#include "bench/index_report.h"
#include "bench/index_sweep.h"
#include "bench/recall.h"

namespace akidb::bench {

/// An engine with all that is said about it.
struct Contender {
    std::unique_ptr<IndexEngine> engine;
    EngineReport report;
    std::unique_ptr<IndexSweep> sweep;
};

struct Sweeps {
    std::vector<size_t> widths;  // in rising order
    size_t rounds = 5;
};

/// Rows shuffled with a fixed seed: files are often sorted, and no engine should profit from that.
std::vector<uint32_t> insertion_order(size_t rows);

using MakeEngine = std::function<std::unique_ptr<IndexEngine>(OrderedBase, const EngineOptions&)>;
/// Builds it and prints what that took.
Contender build_contender(OrderedBase base, const EngineOptions& options, const MakeEngine& make);
/// Fills the points of each report.
void measure(std::vector<Contender>& contenders, OrderedBase base, const VectorFile& queries,
             const RecallJudge& judge, const Sweeps& sweeps);

/// Queries a second at that recall@10, from the points measured; 0 where they do not reach it.
double speed_at(const EngineReport& report, double recall);

std::string processor_name();

}  // namespace akidb::bench
