// ObjectRun: the history of one seed as it is played (object_history.h says what it must hold): the server
// that runs now, the model of what it must be, and the verbs. Private to the object histories.
// Single-threaded.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/object_judge.h"

namespace akidb::sim {

class ObjectRun {
  public:
    explicit ObjectRun(uint64_t seed)
        : seed_(seed), world_(seed, metrics_), judge_(world_, lives_, counts_) {}

    ObjectCounts play(uint64_t steps);

  private:
    enum class Depth : uint8_t { kSome, kAll };

    void violation(const std::string& what);
    /// An empty string is none.
    void expect(const std::string& wrong);
    Dice& dice() { return world_.dice; }

    // Verbs (object_verbs.cc).
    void random_step();
    Life* draw_life();
    void create();
    void set_policy(const Life& life, model::StoragePolicy policy);
    std::shared_ptr<engine::Collection> wake(const Life& life);
    Operation random_write(const Life& life);
    void write();
    void maintain();
    void erase();
    void drop();
    void back_up();
    void archive();
    void prune();
    void verify();
    void restore();
    void move();
    void search();
    void search_cold(const Life& life);
    bool is_cold(const Life& life) const;
    void note_cold();
    void pass_time();
    void upload();
    void damage();
    void judge_some() { judge(Depth::kSome); }
    template <class Reply>
    bool note(Life& life, const Operation& operation, const Result<Reply>& reply,
              const engine::Collection& collection) {
        if (reply) {
            ++counts_.acknowledged;
            life.oracle.acknowledged(operation);
            life.record(collection.stats().last_sequence);
        } else if (world_.power.is_off()) {
            life.oracle.unknown(operation);
        } else {
            violation("a write was refused: " + reply.error().message());
        }
        return reply.has_value();
    }

    // Starts and ends (object_history.cc).
    void begin();
    void restart();
    void start_again();
    void settle();
    void check(Life& life, const engine::Collection& collection);
    void judge(Depth depth);
    void judge_life(Life& life);
    void judge_backups(bool is_whole);
    void end();
    void back_up_for_good();
    void go_cold_and_back(Life& life);

    const uint64_t seed_;
    telemetry::Metrics metrics_;
    ObjectWorld world_;
    std::vector<Life> lives_;
    ObjectCounts counts_;
    ObjectJudge judge_;
    std::unique_ptr<ObjectServer> server_;
    std::set<Uuid> told_;   // backups as done, and not for a prune to remove
    std::string creating_;  // of which nobody knows whether it is there
    uint64_t created_ = 0;
    int64_t next_stamp_ = 1;
    Uuid timeline_{};
    bool damages_ = false;
    uint64_t step_ = 0;
    std::string verb_;
};

}  // namespace akidb::sim
