#include "sim/model.h"

#include <algorithm>
#include <memory>

#include "sim/machine.h"
#include "sim/oracle.h"
#include "sim/simulation.h"

namespace akidb::sim {
namespace {

// Rows of dead versions stay until a rewrite, so that long histories would mostly scan those.
constexpr uint64_t kOperationsPerHistory = 2000;
constexpr uint64_t kWholeCheckOneIn = 25;
constexpr uint64_t kRestartOneIn = 333;  // p = 0.003
constexpr uint64_t kPassedMs = 3'000;    // a fourth of what expires soon has

/// One engine: its own disk, its own machine.
struct Side {
    Side(uint64_t seed, uint32_t graph_rows_min)
        : disk(seed), machine(std::make_unique<Machine>(seed)), rows_min(graph_rows_min) {}

    Result<void> create(const Catalog& catalog) {
        AKIDB_TRY(disk.make_directory(std::string(kRoot)));
        return engine::Collection::create(disk, std::string(kRoot), catalog.directory());
    }
    Result<void> open(const Catalog& catalog, uint64_t seed) {
        collection.reset();
        disk.forget_log();
        machine = std::make_unique<Machine>(seed);
        machine->clock.set_unix_ms(catalog.now_ms);
        engine::CollectionOptions options = collection_options(Sizes::kSmall);
        options.graph_rows_min = rows_min;
        AKIDB_TRY(collection, engine::Collection::open(
                                  {disk, machine->clock, machine->executor, machine->logger, metrics},
                                  catalog.directory(), catalog.spec(), options));
        return {};
    }

    SimFileSystem disk;
    std::unique_ptr<Machine> machine;
    uint32_t rows_min;
    telemetry::Metrics metrics;
    std::shared_ptr<engine::Collection> collection;
};

bool is_same(const model::SearchReply& a, const model::SearchReply& b) {
    return std::equal(a.matches.begin(), a.matches.end(), b.matches.begin(), b.matches.end(),
                      [](const model::SearchMatch& x, const model::SearchMatch& y) {
                          return x.document.id == y.document.id && x.score == y.score;
                      });
}

class History {
  public:
    History(uint64_t seed, ModelReport& report)
        : dice_(seed), report_(report), graph_(seed, 16), flat_(seed + 1, UINT32_MAX) {
        catalog_.seed = seed;
        catalog_.metadata_indexes = stamp_index();
    }

    /// What is wrong, or nothing.
    std::string play(uint64_t operations) {
        for (Side* side : {&graph_, &flat_}) {
            const Result<void> made = side->create(catalog_);
            const Result<void> opened = made.has_value() ? side->open(catalog_, dice_.next()) : made;
            if (!opened.has_value()) {
                return "no collection: " + opened.error().message();
            }
        }
        std::string wrong;
        for (uint64_t i = 0; i < operations && wrong.empty(); ++i) {
            ++report_.operations;
            wrong = dice_.one_in(kRestartOneIn) ? restart() : operate();
            if (wrong.empty() && dice_.one_in(kWholeCheckOneIn)) {
                wrong = check_whole();
            }
        }
        return wrong.empty() ? check_whole() : wrong;
    }

  private:
    std::string operate() {
        const uint64_t kind = dice_.below(16);
        if (kind < 8) {
            return write();
        }
        if (kind < 14) {
            return compare_searches();
        }
        if (dice_.one_in(4)) {
            pass_time();
        }
        (kind == 14 ? graph_ : flat_).machine->executor.run_one();
        return dice_.one_in(8) ? maintain() : std::string();
    }

    std::string write() {
        const Operation operation = random_operation(dice_, next_stamp_, catalog_.now_ms);
        std::vector<engine::WriteReply> replies;
        for (Side* side : {&graph_, &flat_}) {
            const auto reply = perform(operation, *side->collection);
            if (!reply.has_value()) {
                return "a write was refused: " + reply.error().message();
            }
            replies.push_back(*reply);
        }
        const size_t before = oracle_.state().size();
        oracle_.acknowledged(operation);
        // Each sweeps in its own time, so sequences differ.
        if (replies[0].count != replies[1].count) {
            return "the two engines acknowledged different writes";
        }
        const bool deletes = operation.kind != Operation::Kind::kUpsert;
        if (deletes && replies[0].count != before - oracle_.state().size()) {
            return "a delete told a wrong count";
        }
        return {};
    }

    void pass_time() {
        catalog_.now_ms += kPassedMs;
        oracle_.set_now(catalog_.now_ms);
        for (Side* side : {&graph_, &flat_}) {
            side->machine->clock.advance_us(kPassedMs * 1'000);
            side->collection->tend();
        }
    }

    std::string maintain() {
        for (Side* side : {&graph_, &flat_}) {
            const Result<void> done = side->collection->run_maintenance_now();
            if (!done.has_value()) {
                return "maintenance failed: " + done.error().message();
            }
        }
        return {};
    }

    std::string restart() {
        ++report_.restarts;
        for (Side* side : {&graph_, &flat_}) {
            if (dice_.coin()) {  // else it is killed
                const Result<void> closed = side->collection->close(dice_.coin());
                if (!closed.has_value()) {
                    return "close failed: " + closed.error().message();
                }
            }
            const Result<void> opened = side->open(catalog_, dice_.next());
            if (!opened.has_value()) {
                return "open failed: " + opened.error().message();
            }
        }
        return check_whole();
    }

    std::string compare_searches() {
        ++report_.searches;
        report_.searches_on_graph += graph_.collection->stats().linked_rows > 0 ? 1 : 0;
        model::SearchRequest request = random_search(dice_, next_stamp_);
        request.params.exact = true;
        const auto on_graph = graph_.collection->search(request);
        const auto flat = flat_.collection->search(request);
        if (!on_graph.has_value() || !flat.has_value()) {
            return "a search failed";
        }
        if (!on_graph->exact || !flat->exact || !is_same(*on_graph, *flat)) {
            return "the two engines answer an exact search differently";
        }
        const auto counted = graph_.collection->count(request.filter.get());
        const auto counted_flat = flat_.collection->count(request.filter.get());
        if (!counted.has_value() || !counted_flat.has_value() || *counted != *counted_flat) {
            return "the two engines count differently under a filter";
        }
        return {};
    }

    std::string check_whole() {
        for (Side* side : {&graph_, &flat_}) {
            if (std::string wrong = oracle_.check(*side->collection, dice_); !wrong.empty()) {
                return (side == &graph_ ? "graph: " : "flat: ") + wrong;
            }
        }
        return {};
    }

    Dice dice_;
    ModelReport& report_;
    Side graph_;
    Side flat_;
    Catalog catalog_;
    Oracle oracle_;
    int64_t next_stamp_ = 1;
};

}  // namespace

ModelReport run_model(uint64_t first_seed, uint64_t operations) {
    ModelReport report;
    for (uint64_t seed = first_seed;
         report.operations < operations && report.violations.size() < kViolationsMax; ++seed) {
        History history(seed, report);
        const std::string wrong =
            history.play(std::min(kOperationsPerHistory, operations - report.operations));
        if (!wrong.empty()) {
            report.violations.push_back("seed " + std::to_string(seed) + ", operation " +
                                        std::to_string(report.operations) + ": " + wrong);
        }
    }
    return report;
}

}  // namespace akidb::sim
