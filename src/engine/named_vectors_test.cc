// Collections whose documents have several vectors, through all that happens to one, held against a map of
// what must be there: a document comes, changes and goes with all its vectors, and a search by one of them
// finds those that have it and nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "engine/collection_for_tests.h"
#include "index/stored_vector.h"

namespace akidb::engine {
namespace {

using model::Metric;
using model::VectorSpec;
using model::VectorStorage;

using Vectors = std::map<std::string, std::vector<float>>;  // by name; the one without is ""

class NamedVectorsTest : public CollectionFixture {
  protected:
    NamedVectorsTest() {
        spec_.vectors = {{"title", 24, Metric::kL2, VectorStorage::kF16},
                         {"image", 20, Metric::kDot, VectorStorage::kInt8}};
        options_.graph_rows_min = 200;
        options_.graph.build_ef = 64;
        options_.checkpoint_linked_rows = 100;
        options_.rewrite_dead_rows_min = 64;
        options_.maintenance_slice_rows = 64;
    }

    std::vector<float> random_vector(uint32_t dimension) {
        std::vector<float> vector(dimension);
        std::generate(vector.begin(), vector.end(),
                      [&] { return std::uniform_real_distribution<float>(-1, 1)(random_); });
        return vector;
    }
    uint64_t below(uint64_t bound) { return random_() % bound; }

    /// Has each named vector with a chance of `per_mille`.
    model::Document random_document(uint64_t id, uint64_t per_mille = 600) {
        model::Document made = document(id, id);
        made.vector = spec_.dimension == 0 ? std::vector<float>() : random_vector(spec_.dimension);
        for (const VectorSpec& vector : spec_.vectors) {
            if (below(1000) < per_mille) {
                made.vectors.push_back({vector.name, random_vector(vector.dimension)});
            }
        }
        return made;
    }
    void note(const model::Document& document) {
        Vectors& kept = kept_[std::get<uint64_t>(document.id.value())];
        kept.clear();
        for (const VectorSpec& vector : model::vectors_of(spec_)) {
            std::vector<float> values = model::vector_of(document, vector.name);
            if (!values.empty()) {
                index::round_to_stored(vector.storage, values);
                kept[vector.name] = std::move(values);
            }
        }
    }
    void write(uint64_t first, uint64_t count) {
        std::vector<model::Document> batch;
        for (uint64_t id = first; id < first + count; ++id) {
            batch.push_back(random_document(id));
            note(batch.back());
        }
        const auto written = collection_->upsert(std::move(batch));
        ASSERT_TRUE(written) << written.error().message();
    }
    /// Replaces, adds or removes single vectors of some documents, there or not.
    void change(uint64_t ids) {
        std::vector<model::DocumentUpdate> updates;
        for (int i = 0; i < 20; ++i) {
            model::DocumentUpdate update{.id = model::DocumentId(below(ids)), .change = {}, .if_version = {}};
            const auto known = kept_.find(std::get<uint64_t>(update.id.value()));
            const VectorSpec& vector = spec_.vectors[below(spec_.vectors.size())];
            if (below(3) == 0) {
                update.change.removed_vectors = {vector.name};
            } else {
                update.change.vectors = {{vector.name, random_vector(vector.dimension)}};
            }
            if (known != kept_.end()) {
                known->second.erase(vector.name);
                if (!update.change.vectors.empty()) {
                    std::vector<float>& values = known->second[vector.name];
                    values = update.change.vectors.front().values;
                    index::round_to_stored(vector.storage, values);
                }
            }
            updates.push_back(std::move(update));
        }
        const auto changed = collection_->update(std::move(updates), {});
        ASSERT_TRUE(changed) << changed.error().message();
    }
    void remove(uint64_t first, uint64_t count) {
        std::vector<model::DocumentId> ids;
        for (uint64_t id = first; id < first + count; ++id) {
            ids.emplace_back(id);
            kept_.erase(id);
        }
        ASSERT_TRUE(collection_->remove(ids));
    }
    void remove_below(uint64_t bound) {
        ASSERT_TRUE(collection_->remove_matching(n_below(static_cast<double>(bound)), {}));
        std::erase_if(kept_, [&](const auto& one) { return one.first < bound; });
    }
    void reopen(bool checkpoint) {
        ASSERT_TRUE(collection_->close(checkpoint));
        open();
    }

    static double distance(Metric metric, const std::vector<float>& query, const std::vector<float>& vector) {
        double product = 0;
        double squares = 0;
        double difference = 0;
        for (size_t i = 0; i < query.size(); ++i) {
            product += double{query[i]} * vector[i];
            squares += double{vector[i]} * vector[i];
            difference += (double{query[i]} - vector[i]) * (double{query[i]} - vector[i]);
        }
        return metric == Metric::kL2    ? difference
               : metric == Metric::kDot ? -product
                                        : -product / std::sqrt(squares);
    }
    struct Asked {
        std::string name;
        bool exact = true;
        uint64_t below = 0;  // under a filter; 0: none
        uint32_t top_k = 10;
    };
    /// The share of the nearest that was found; all of them, and only such as have the vector, must be exact.
    double search(const Asked& asked) {
        const VectorSpec vector = model::find_vector(spec_, asked.name, "using").value();
        model::SearchRequest request{.vector_name = asked.name, .vector = random_vector(vector.dimension)};
        request.top_k = asked.top_k;
        request.params.exact = asked.exact;
        if (asked.below > 0) {
            request.filter = std::make_shared<model::Filter>(n_below(static_cast<double>(asked.below)));
        }
        std::vector<double> distances;
        for (const auto& [id, vectors] : kept_) {
            const auto found = vectors.find(asked.name);
            if (found != vectors.end() && (asked.below == 0 || id < asked.below)) {
                distances.push_back(distance(vector.metric, request.vector, found->second));
            }
        }
        std::sort(distances.begin(), distances.end());
        const auto reply = collection_->search(request);
        EXPECT_TRUE(reply) << reply.error().message();
        const size_t due = std::min<size_t>(asked.top_k, distances.size());
        EXPECT_EQ(reply->matches.size(), due) << asked.name << (asked.exact ? " exact" : "");
        if (due == 0 || reply->matches.size() != due) {
            return due == 0 ? 1 : 0;
        }
        const double last = distances[due - 1] + 1e-5 * (1 + std::abs(distances[due - 1]));
        size_t hits = 0;
        for (const model::SearchMatch& match : reply->matches) {
            const auto id = std::get<uint64_t>(match.document.id.value());
            const auto known = kept_.find(id);
            if (known == kept_.end() || !known->second.contains(asked.name) ||
                (asked.below > 0 && id >= asked.below)) {
                ADD_FAILURE() << "document " << id << " is no answer by \"" << asked.name << "\"";
                return 0;
            }
            hits += distance(vector.metric, request.vector, known->second.at(asked.name)) <= last ? 1 : 0;
        }
        return static_cast<double>(hits) / static_cast<double>(due);
    }
    void expect_all(const std::string& when) {
        SCOPED_TRACE(when);
        ASSERT_EQ(count(), kept_.size());
        std::vector<model::DocumentId> ids;
        for (const auto& [id, vectors] : kept_) {
            ids.emplace_back(id);
        }
        const auto found =
            ids.empty() ? std::vector<model::Document>() : collection_->get(ids, {.vector = true}).value();
        ASSERT_EQ(found.size(), kept_.size());
        for (const model::Document& one : found) {
            const Vectors& wanted = kept_.at(std::get<uint64_t>(one.id.value()));
            ASSERT_EQ(one.vectors.size() + (one.vector.empty() ? 0 : 1), wanted.size());
            for (const auto& [name, values] : wanted) {
                ASSERT_EQ(model::vector_of(one, name), values) << name;
            }
        }
        for (const VectorSpec& vector : model::vectors_of(spec_)) {
            double walked = 0;
            for (int i = 0; i < 8; ++i) {
                const uint64_t bound = 1 + below(700);
                ASSERT_EQ(search({.name = vector.name}), 1) << vector.name;
                ASSERT_EQ(search({.name = vector.name, .below = bound}), 1) << vector.name;
                walked += search({.name = vector.name, .exact = false});
                search({.name = vector.name, .exact = false, .below = bound});
            }
            search({.name = vector.name, .exact = false, .top_k = 5'000});
            EXPECT_GE(walked, 8 * 0.9) << vector.name;
        }
    }

    std::mt19937_64 random_{11};
    std::map<uint64_t, Vectors> kept_;
};

TEST_F(NamedVectorsTest, AreFoundReplacedAndLostWithTheirDocumentsThroughAllThatHappens) {
    create();
    constexpr uint64_t kIds = 900;
    for (int round = 0; round < 60; ++round) {
        switch (below(9)) {
            case 0:
                remove(below(kIds), 1 + below(30));
                break;
            case 1:
                remove_below(below(40));
                break;
            case 2:
            case 3:
                change(kIds);
                break;
            case 4:
                open();  // as after kill -9
                break;
            case 5:
                reopen(below(2) == 0);
                break;
            case 6:
                ASSERT_TRUE(collection_->run_maintenance_now());
                break;
            case 7:
                ASSERT_TRUE(collection_->rewrite());
                break;
            default:
                write(below(kIds), 1 + below(200));
        }
        if (HasFatalFailure()) {
            return;
        }
        if (round % 6 == 5) {
            expect_all("after " + std::to_string(round + 1) + " steps");
        }
    }
    ASSERT_TRUE(collection_->run_maintenance_now());
    expect_all("at the end");
    EXPECT_TRUE(collection_->damage().empty());
}

TEST_F(NamedVectorsTest, MayBeAllThatThereIs) {
    spec_.dimension = 0;
    create();
    write(0, 700);
    model::Document none = document(1000, 1);
    none.vector.clear();
    ASSERT_TRUE(collection_->upsert({none}));
    note(none);
    expect_all("in memory");
    ASSERT_TRUE(collection_->run_maintenance_now());
    expect_all("linked");
    remove(50, 300);
    ASSERT_TRUE(collection_->rewrite());
    reopen(true);
    expect_all("rewritten and mapped");
}

TEST_F(NamedVectorsTest, AreNotLinkedAgainAfterARestart) {
    create();
    write(0, 900);
    ASSERT_TRUE(collection_->run_maintenance_now());
    reopen(true);
    const CollectionStats stats = collection_->stats();
    EXPECT_EQ(stats.head_rows, 0u);
    ASSERT_EQ(stats.vectors.size(), 2u);
    uint64_t linked = 900;
    for (const VectorState& vector : stats.vectors) {
        const auto having = static_cast<uint64_t>(std::count_if(
            kept_.begin(), kept_.end(), [&](const auto& one) { return one.second.contains(vector.name); }));
        EXPECT_EQ(vector.rows, having) << vector.name;
        EXPECT_EQ(vector.linked_rows, having) << vector.name;
        linked += having;
    }
    EXPECT_EQ(stats.linked_rows, linked);
    expect_all("mapped");
}

TEST_F(NamedVectorsTest, OneThatFewDocumentsHaveIsFoundAmongMany) {
    create();
    std::vector<model::Document> batch;
    for (uint64_t id = 0; id < 3'000; ++id) {
        batch.push_back(random_document(id, id % 500 == 7 ? 1000 : 0));
        note(batch.back());
    }
    ASSERT_TRUE(collection_->upsert(std::move(batch)));
    ASSERT_TRUE(collection_->run_maintenance_now());
    expect_all("six of three thousand");
    EXPECT_EQ(search({.name = "image", .exact = false, .top_k = 10}), 1);
}

TEST_F(NamedVectorsTest, OfAnotherShapeAreNotThoseOfTheFiles) {
    create();
    write(0, 300);
    ASSERT_TRUE(collection_->run_maintenance_now());
    ASSERT_TRUE(collection_->close(true));
    for (const auto& spoil :
         {+[](VectorSpec& v) { v.name = "other"; }, +[](VectorSpec& v) { v.dimension = 23; },
          +[](VectorSpec& v) { v.metric = Metric::kDot; }}) {
        model::CollectionSpec other = spec_;
        spoil(other.vectors[0]);
        EXPECT_EQ(
            Collection::open({*files_, *clock_, executor_, logger_, metrics_}, directory(), other, options_)
                .error()
                .code(),
            Code::kDataLoss);
    }
    open();
    expect_all("as before");
}

TEST_F(NamedVectorsTest, AreReadOneByOne) {
    create();
    const model::Document made = random_document(1, 1000);
    ASSERT_TRUE(collection_->upsert({made}));
    const auto read = [&](std::vector<std::string> names) {
        return collection_->get({made.id}, {.vectors = std::move(names)});
    };
    const model::Document image = read({"image"}).value().front();
    EXPECT_TRUE(image.vector.empty());
    ASSERT_EQ(image.vectors.size(), 1u);
    EXPECT_EQ(image.vectors.front().name, "image");
    const model::Document unnamed = read({""}).value().front();
    EXPECT_EQ(unnamed.vector, made.vector);
    EXPECT_TRUE(unnamed.vectors.empty());
    EXPECT_EQ(read({"title", "titel"}).error().field(), "include");
    model::SearchRequest request{.vector = made.vector, .include = {.vectors = {"title"}}};
    const model::Document match = collection_->search(request).value().matches.front().document;
    EXPECT_TRUE(match.vector.empty());
    EXPECT_EQ(match.vectors.size(), 1u);
    request.include.vectors = {"titel"};
    EXPECT_EQ(collection_->search(request).error().field(), "include");
    model::ScrollRequest page{.limit = 1, .from = {}, .filter = {}, .order = {}, .include = request.include};
    EXPECT_EQ(collection_->scroll(page).error().field(), "include");
}

TEST_F(NamedVectorsTest, MistakesNameTheVector) {
    create();
    const auto field_of = [&](model::Document wrong) {
        const auto written = collection_->upsert({document(1, 1), std::move(wrong)});
        return written ? std::string("none") : written.error().field();
    };
    model::Document made = document(2, 2);
    made.vectors = {{"title", std::vector<float>(24, 1.0F)}};
    EXPECT_EQ(field_of(made), "none");
    made.vectors = {{"title", std::vector<float>(23, 1.0F)}};
    EXPECT_EQ(field_of(made), "documents[1].vectors.title");
    made.vectors = {{"titel", std::vector<float>(24, 1.0F)}};
    EXPECT_EQ(field_of(made), "documents[1].vectors.titel");
    made.vectors = {{"title", std::vector<float>(24, 1.0F)}, {"title", std::vector<float>(24, 1.0F)}};
    EXPECT_EQ(field_of(made), "documents[1].vectors.title");
    made.vectors = {{"title", std::vector<float>(24, 70'000.0F)}};
    EXPECT_EQ(field_of(made), "documents[1].vectors.title[0]");
    made.vectors.clear();
    made.vector.clear();
    EXPECT_EQ(field_of(made), "documents[1].vector") << "the one without a name is always there";

    model::SearchRequest request{.vector_name = "titel", .vector = std::vector<float>(24, 1.0F)};
    const auto unknown = collection_->search(request);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().field(), "using");
    EXPECT_EQ(unknown.error().allowed(), "no name, or one of title, image");
    request.vector_name = "image";
    EXPECT_EQ(collection_->search(request).error().field(), "vector");

    model::DocumentUpdate update{.id = model::DocumentId(1), .change = {}, .if_version = {}};
    update.change.removed_vectors = {"titel"};
    EXPECT_EQ(collection_->update(std::vector{update}, {}).error().field(), "documents[0].remove_vectors[0]");
    update.change.removed_vectors = {"title"};
    update.change.vectors = {{"title", std::vector<float>(24, 1.0F)}};
    EXPECT_EQ(collection_->update(std::vector{update}, {}).error().field(), "documents[0].remove_vectors[0]");
}

}  // namespace
}  // namespace akidb::engine
