// Contenders: engines over the same rows in the same order, built one after another and then measured in turn
// in one process, so that what disturbs the machine disturbs them alike. Errors are std::runtime_error.
#pragma once

#include <CLI/CLI.hpp>
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

/// Which files, as the options of a program name them.
struct SetFiles {
    std::string base;
    std::string query;
    std::string truth;
    std::string metric;  // cosine, dot or l2
};
/// --base, --query, --truth and --metric, which must be given.
void add_set_options(CLI::App& app, SetFiles& files);

/// Rows in the order that engines get them, queries, and what is right. Immutable; it does not move.
class SearchedSet {
  public:
    explicit SearchedSet(SetFiles files);
    SearchedSet(const SearchedSet&) = delete;
    SearchedSet& operator=(const SearchedSet&) = delete;

    Metric metric() const { return metric_; }
    OrderedBase base() const { return {base_, order_}; }
    const VectorFile& queries() const { return queries_; }
    const RecallJudge& judge() const { return judge_; }
    /// The set, the machine and how often: the first line of a run.
    void print_line(size_t rounds) const;

  private:
    const SetFiles files_;
    const Metric metric_;
    const VectorFile base_;
    const VectorFile queries_;
    const Truth truth_;
    const RecallJudge judge_;
    const std::vector<uint32_t> order_;
};

using MakeEngine = std::function<std::unique_ptr<IndexEngine>(OrderedBase, const EngineOptions&)>;
/// Builds it and prints what that took.
Contender build_contender(OrderedBase base, const EngineOptions& options, const MakeEngine& make);
/// Fills the points of each report.
void measure(std::vector<Contender>& contenders, const SearchedSet& set, const Sweeps& sweeps);

/// Queries a second at that recall@10, from the points measured; 0 where they do not reach it.
double speed_at(const EngineReport& report, double recall);

std::string processor_name();

}  // namespace akidb::bench
