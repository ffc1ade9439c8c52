// TierStorm: a server's collections with tiers, whose store is a real S3 server behind a proxy that spoils
// requests, and a model of every document they were told. Collections are made, written, copied, closed, sent
// away, brought back, changed and deleted while requests are lost, spoilt and answered wrongly; after each
// step it looks past the proxy for what was called uploaded, and for the copy of what is no longer local, and
// in each calm it holds every collection against its model. Time passes only here. For tests; of one thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "breaker_witness.h"
#include "fault_proxy.h"
#include "gateway.h"
#include "objects/retrying_store.h"
#include "objects/stores_for_tests.h"
#include "service/tiers_for_tests.h"

namespace akidb::s3_test {

/// What was looked at, and held.
struct StormTally {
    uint64_t steps = 0;
    uint64_t refusals = 0;  // of who asked for a cold collection
    uint64_t uploads = 0;   // called done, and found whole past the proxy
    uint64_t drops = 0;     // of local files, whose copy was found whole past the proxy
    uint64_t fetches = 0;   // of cold collections, by those who asked for them
    uint64_t answers = 0;   // collections read whole and searched, as their model says
    uint64_t restarts = 0;
    uint64_t openings = 0;  // of the breaker
    uint64_t closings = 0;
};

class TierStorm {
  public:
    /// Its objects are below `prefix`.
    TierStorm(const Gateway& gateway, const std::string& prefix, uint64_t seed);
    ~TierStorm();

    /// Some steps under faults, and now and then a calm or a failure of the whole store.
    void round();
    /// All is well again: everything is there, and once the collections are deleted nothing is left.
    void end();

    const FaultProxy& proxy() const { return proxy_; }
    const StormTally& tally() const { return tally_; }

  private:
    struct Told {
        Uuid id;
        const service::Kind* kind = nullptr;
        service::Model model{};
        uint64_t copied_version = 0;  // that was looked at
        bool is_cold = false;         // the same
    };

    uint64_t draw(uint64_t below) { return writes_.draw(below); }
    void step();
    void create(const std::string& name);
    void change_policy(const std::string& name);
    void demote(const std::string& name, model::TierAction action);
    void remove(const std::string& name);
    void restart();
    void write(const std::string& name);
    void read(const std::string& name);
    std::shared_ptr<engine::Collection> wake(const std::string& name);
    void fail_whole();
    void calm();
    /// That what is told of uploads, drops and the breaker is so.
    void check_promises();
    void expect_copy(const catalog::TierRow& row);
    std::string path_of(const Uuid& id) const { return world_.data() + "/collections/" + id.to_string(); }

    service::TierWorld world_;
    FaultProxy proxy_;
    std::unique_ptr<objects::ObjectStore> clean_;
    std::unique_ptr<objects::ObjectStore> spoilt_;
    BreakerWitness witness_;
    objects::Breaker breaker_;
    std::unique_ptr<objects::ObjectStore> breaking_;
    objects::PassingTime time_;
    std::unique_ptr<io::Random> random_;
    service::RandomWrites writes_;
    std::unique_ptr<service::TieredServer> server_;
    std::map<std::string, Told> told_;
    StormTally tally_;
    uint64_t rounds_ = 0;
};

}  // namespace akidb::s3_test
