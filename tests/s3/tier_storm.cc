#include "tier_storm.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "backup/collection_copy.h"
#include "objects/sha256.h"
#include "storage/layout.h"

namespace akidb::s3_test {
namespace {

namespace fs = std::filesystem;
using catalog::TierRow;
using model::StoragePolicy;
using model::Tier;
using model::TierAction;
using objects::BreakerState;

constexpr uint64_t kCollections = 4;
constexpr uint32_t kPercents[] = {10, 20, 30, 50};

double score_of(const service::Kind& kind, const std::vector<float>& query, const std::vector<float>& kept) {
    double product = 0;
    double squares = 0;
    double query_squares = 0;
    double difference = 0;
    for (size_t i = 0; i < query.size(); ++i) {
        product += double{query[i]} * kept[i];
        squares += double{kept[i]} * kept[i];
        query_squares += double{query[i]} * query[i];
        difference += (double{query[i]} - kept[i]) * (double{query[i]} - kept[i]);
    }
    return kind.metric == model::Metric::kL2    ? -std::sqrt(difference)
           : kind.metric == model::Metric::kDot ? product
                                                : product / std::sqrt(squares * query_squares);
}

/// The nearest by brute force over the model.
void expect_nearest(const service::Kind& kind, const engine::Collection& collection,
                    const service::Model& model, uint64_t seed) {
    constexpr double kRounding = 1e-3;
    model::SearchRequest request;
    request.vector = service::vector_of(kind.dimension, seed);
    request.top_k = 5;
    request.params.exact = true;
    const auto reply = collection.search(request);
    ASSERT_TRUE(reply) << reply.error().message();
    std::map<uint64_t, double> scores;
    std::vector<double> best;
    for (const auto& [id, row] : model) {
        std::vector<float> kept = service::vector_of(kind.dimension, row.seed);
        index::round_to_stored(kind.storage, kept);
        best.push_back(scores[id] = score_of(kind, request.vector, kept));
    }
    std::sort(best.rbegin(), best.rend());
    ASSERT_EQ(reply->matches.size(), std::min<size_t>(request.top_k, model.size()));
    for (size_t i = 0; i < reply->matches.size(); ++i) {
        const auto id = std::get<uint64_t>(reply->matches[i].document.id.value());
        ASSERT_TRUE(scores.contains(id)) << "a document that nobody wrote, or that is deleted: " << id;
        EXPECT_NEAR(scores[id], best[i], kRounding * (1 + std::abs(best[i]))) << kind.name << " place " << i;
    }
}

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TierStorm::TierStorm(const Gateway& gateway, const std::string& prefix, uint64_t seed)
    : proxy_(gateway.port(), 0, seed),
      clean_(gateway.store(gateway.port(), prefix)),
      spoilt_(gateway.store(proxy_.port(), prefix, 1'000)),
      witness_(*spoilt_, world_.clock),
      breaker_(world_.clock, {}),
      breaking_(objects::make_breaking_store(witness_, breaker_)),
      random_(io::make_seeded_random(seed)),
      writes_(seed) {
    world_.memory = objects::make_retrying_store(*breaking_, *random_, time_, {.tries = 3});
    world_.breaker = &breaker_;
    server_ = std::make_unique<service::TieredServer>(world_);
}

TierStorm::~TierStorm() = default;

void TierStorm::round() {
    if (++rounds_ % 8 == 1) {
        fail_whole();
    }
    proxy_.set_percent(kPercents[draw(std::size(kPercents))]);
    for (int i = 0; i < 12 && !testing::Test::HasFailure(); ++i) {
        step();
    }
    if (rounds_ % 3 == 0) {
        calm();
    }
}

void TierStorm::step() {
    ++tally_.steps;
    world_.clock.pass_s(draw(10) == 0 ? 61 : 1);
    const std::string name = "words" + std::to_string(draw(kCollections));
    if (!told_.contains(name)) {
        create(name);
    } else {
        switch (draw(14)) {
            case 0:
                change_policy(name);
                break;
            case 1:
                remove(name);
                break;
            case 2:
                restart();
                break;
            case 3:
                static_cast<void>(server_->tiers().renew_copy(told_[name].id).has_value());
                break;
            case 4:
            case 5:
                demote(name, TierAction::kDemoteToWarm);
                break;
            case 6:
            case 7:
            case 8:
                demote(name, TierAction::kDemoteToCold);
                break;
            case 9:
            case 10:
                read(name);
                break;
            default:
                write(name);
        }
    }
    check_promises();
    if (draw(2) == 0) {
        server_->tiers().run_due({});
        check_promises();
    }
}

void TierStorm::create(const std::string& name) {
    const service::Kind& kind = service::kKinds[draw(std::size(service::kKinds))];
    const StoragePolicy policy = draw(3) == 0 ? StoragePolicy::kMemoryS3 : StoragePolicy::kS3Only;
    told_[name] = {.id = server_->create(kind, name, policy).spec.id, .kind = &kind};
    write(name);
}

void TierStorm::change_policy(const std::string& name) {
    if (const auto used = wake(name)) {
        const auto policy = static_cast<StoragePolicy>(draw(3));
        EXPECT_TRUE(server_->tiers().set_policy(told_[name].id, policy));
    }
}

/// What it says of the tier, check_promises holds against the store.
void TierStorm::demote(const std::string& name, TierAction action) {
    const Result<void> moved = server_->act(name, action);
    if (moved) {
        EXPECT_EQ(server_->tier(name), action == TierAction::kDemoteToCold ? Tier::kCold : Tier::kWarm);
    }
}

void TierStorm::remove(const std::string& name) {
    EXPECT_TRUE(server_->directory().remove({{}, name}));
    told_.erase(name);
}

void TierStorm::restart() {
    ++tally_.restarts;
    server_.reset();
    server_ = std::make_unique<service::TieredServer>(world_);
}

/// Nothing when the store keeps it: only who is cold may be refused.
std::shared_ptr<engine::Collection> TierStorm::wake(const std::string& name) {
    const bool is_cold = server_->tier(name) == Tier::kCold;
    auto woken = server_->wake(name);
    if (woken) {
        tally_.fetches += is_cold ? 1 : 0;
        return std::move(woken).value();
    }
    EXPECT_TRUE(is_cold) << woken.error().message();
    EXPECT_NE(woken.error().code(), Code::kNotFound);
    ++tally_.refusals;
    return nullptr;
}

void TierStorm::write(const std::string& name) {
    if (const auto used = wake(name)) {
        Told& told = told_[name];
        writes_.write(*told.kind, *used, told.model);
    }
}

void TierStorm::read(const std::string& name) {
    if (const auto used = wake(name)) {
        const Told& told = told_[name];
        service::expect_equal(*told.kind, *used, told.model);
        expect_nearest(*told.kind, *used, told.model, draw(1'000'000));
        ++tally_.answers;
    }
}

/// Every request fails: the breaker opens, keeps all from the server for its five minutes, and closes by ten
/// successes once the server is well again.
void TierStorm::fail_whole() {
    proxy_.set_only(Fault::k503SlowDown);
    world_.clock.pass_s(300);  // if it is open already, it opens anew
    const auto ask = [this] { static_cast<void>(world_.memory->head("nothing").has_value()); };
    for (int i = 0; i < 100 && breaker_.state() != BreakerState::kOpen; ++i) {
        world_.clock.pass_s(1);
        ask();
    }
    ASSERT_EQ(breaker_.state(), BreakerState::kOpen);
    const uint64_t requests = proxy_.requests();
    for (int i = 0; i < 4; ++i) {
        step();
        ask();
    }
    EXPECT_EQ(proxy_.requests(), requests) << "asked while the breaker was open";
    proxy_.set_only(Fault::kNone);
    world_.clock.pass_s(300);
    for (int i = 0; i < 10; ++i) {
        EXPECT_NE(breaker_.state(), BreakerState::kClosed) << "after " << i << " successes";
        ask();
    }
    EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
    check_promises();
    proxy_.set_any();
}

/// What is owed to the store gets there, and every collection is what it was told to be.
void TierStorm::calm() {
    proxy_.set_percent(0);
    world_.clock.pass_s(300);
    EXPECT_TRUE(server_->tiers().retry_all_dead_letters());
    for (int i = 0; i < 20 && (i == 0 || server_->tiers().state().pending > 0); ++i) {
        server_->tiers().run_due({});
        world_.clock.pass_s(70);
    }
    EXPECT_EQ(server_->tiers().state().pending, 0U);
    EXPECT_EQ(server_->tiers().state().dead, 0U);
    check_promises();
    for (const auto& [name, told] : told_) {
        const uint64_t answers = tally_.answers;
        // A busy machine may be slower than the time-out.
        for (int i = 0; i < 3 && tally_.answers == answers; ++i) {
            read(name);
            world_.clock.pass_s(300);
        }
        EXPECT_EQ(tally_.answers, answers + 1) << name << " is not reached though the store is";
    }
    check_promises();
}

/// Only of these collections: a list that was out of date may have hidden what others left.
void TierStorm::end() {
    calm();
    std::vector<std::string> copies;
    const auto listed = server_->store().list_rows();
    ASSERT_TRUE(listed);
    for (const TierRow& row : *listed) {
        if (row.copy != Uuid{}) {
            copies.push_back(row.copy.to_string() + "/");
        }
    }
    while (!told_.empty()) {
        remove(told_.begin()->first);
    }
    calm();
    for (const std::string& copy : copies) {
        const auto left = clean_->list({.prefix = copy});
        ASSERT_TRUE(left) << left.error().message();
        EXPECT_TRUE(left->objects.empty()) << "it is deleted, and still there: " << left->objects[0].key;
    }
    tally_.openings = witness_.openings();
    tally_.closings = witness_.closings();
}

void TierStorm::check_promises() {
    EXPECT_EQ(breaker_.state(), witness_.state());
    std::map<Uuid, TierRow> rows;
    const auto listed = server_->store().list_rows();
    ASSERT_TRUE(listed);
    for (const TierRow& row : *listed) {
        rows[row.collection] = row;
    }
    for (auto& [name, told] : told_) {
        const TierRow row = rows.contains(told.id) ? rows[told.id] : TierRow{};
        if (row.tier != Tier::kCold) {
            EXPECT_TRUE(fs::exists(path_of(told.id))) << name << " lost its local files";
        }
        const bool is_new = row.copied_version != 0 && row.copied_version != told.copied_version;
        const bool is_dropped = row.tier == Tier::kCold && !told.is_cold;
        if (is_new || is_dropped) {
            expect_copy(row);
            tally_.uploads += is_new ? 1 : 0;
            tally_.drops += is_dropped ? 1 : 0;
        }
        if (is_dropped) {
            EXPECT_EQ(row.settled_version, row.copied_version) << name << " went before all was uploaded";
        }
        told.copied_version = row.copied_version;
        told.is_cold = row.tier == Tier::kCold;
    }
}

/// Past the proxy: the manifest is of the version that is called uploaded, and each file has the bytes that
/// its hash names, and those of the local file while there is one.
void TierStorm::expect_copy(const TierRow& row) {
    const auto there = backup::CollectionCopy(*clean_, row.copy).read(row.copied_version);
    ASSERT_TRUE(there) << "called uploaded: " << there.error().message();
    EXPECT_EQ(there->id, row.collection);
    const std::string manifest = storage::manifest_name(row.copied_version);
    EXPECT_TRUE(std::any_of(there->files.begin(), there->files.end(), [&](const backup::BackupFile& file) {
        return file.name == manifest;
    })) << "called uploaded, and another version is there";
    for (const backup::BackupFile& file : there->files) {
        const auto bytes = clean_->get(row.copy.to_string() + "/blobs/" + file.sha256, file.bytes);
        ASSERT_TRUE(bytes) << "called uploaded: " << bytes.error().message();
        EXPECT_EQ(bytes->size(), file.bytes);
        EXPECT_EQ(objects::sha256_hex(*bytes), file.sha256);
        const std::string local = path_of(row.collection) + "/" + file.name;
        EXPECT_TRUE(!fs::exists(local) || bytes_of(local) == *bytes) << file.name;
    }
}

}  // namespace akidb::s3_test
