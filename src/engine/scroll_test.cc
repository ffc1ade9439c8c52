// Pages and facets against the plain answer: all documents, filtered and sorted here.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engine/collection.h"
#include "engine/collection_for_tests.h"

namespace akidb::engine {
namespace {

class ScrollTest : public CollectionFixture {
  protected:
    /// "n" as in seeded_document, "tag" one of five texts (or two of them), "at" a moment, "even" a boolean.
    model::Document tagged(model::DocumentId id, uint64_t number) const {
        model::Document made = document(1, number);
        made.id = std::move(id);
        model::MetadataWriter writer;
        writer.begin_object();
        writer.key("n");
        number % 7 == 0 ? writer.put_double(static_cast<double>(number)) : writer.put_int(int64_t(number));
        writer.key("tag");
        writer.begin_array();
        writer.put_string("tag" + std::to_string(number % 5));
        writer.put_string("tag" + std::to_string(number % 3));
        writer.end();
        if (number % 4 != 0) {
            writer.key("at");
            writer.put_string("2026-01-" + std::to_string(10 + number % 20) + "T00:00:00Z");
        }
        writer.key("even");
        writer.put_bool(number % 2 == 0);
        writer.end();
        made.metadata = std::move(writer).finish().value();
        return made;
    }
    static model::DocumentId id_of(uint64_t number) {
        switch (number % 3) {
            case 0:
                return model::DocumentId(number * 7919 % 100'000);
            case 1:
                return model::DocumentId::from_text("word " + std::to_string(number)).value();
            default: {
                Uuid uuid;
                uuid.bytes[0] = static_cast<uint8_t>(number * 37);
                uuid.bytes[15] = static_cast<uint8_t>(number >> 8);
                uuid.bytes[14] = static_cast<uint8_t>(number);
                return model::DocumentId(uuid);
            }
        }
    }
    void write(uint64_t first, uint64_t count) {
        std::vector<model::Document> batch;
        for (uint64_t number = first; number < first + count; ++number) {
            batch.push_back(tagged(id_of(number), number));
            live_.insert_or_assign(id_of(number), number);
        }
        ASSERT_TRUE(collection_->upsert(std::move(batch)));
    }
    void remove(uint64_t number) {
        ASSERT_TRUE(collection_->remove({id_of(number)}));
        live_.erase(id_of(number));
    }
    static std::shared_ptr<const model::Filter> n_range(double gte, double lt) {
        auto filter = std::make_shared<model::Filter>();
        model::RangeCondition range;
        range.key = "n";
        range.gte = gte;
        range.lt = lt;
        filter->must.emplace_back(std::move(range));
        return filter;
    }
    std::vector<model::DocumentId> scroll_all(model::ScrollRequest request) const {
        std::vector<model::DocumentId> ids;
        for (size_t pages = 0; pages < 10'000; ++pages) {
            const auto page = collection_->scroll(request);
            EXPECT_TRUE(page) << page.error().message();
            EXPECT_LE(page->documents.size(), request.limit);
            for (const model::Document& document : page->documents) {
                ids.push_back(document.id);
            }
            if (!page->next) {
                return ids;
            }
            EXPECT_EQ(page->documents.size(), request.limit);
            request.from = page->next;
        }
        ADD_FAILURE() << "no end";
        return ids;
    }
    template <class Keep>
    std::vector<model::DocumentId> expected(Keep keep) const {
        std::vector<model::DocumentId> ids;
        for (const auto& [id, number] : live_) {
            if (keep(number)) {
                ids.push_back(id);
            }
        }
        return ids;
    }

    std::map<model::DocumentId, uint64_t> live_;  // in the order of ids
};

TEST_F(ScrollTest, PagesByIdAreAllDocumentsOnceInOrderOfTheirIds) {
    create();
    write(1, 3'000);
    for (uint64_t number = 10; number < 3'000; number += 10) {
        remove(number);
    }
    for (const uint32_t limit : {1'000U, 700U, 7U}) {
        EXPECT_EQ(scroll_all({.limit = limit}), expected([](uint64_t) { return true; })) << limit;
    }
    write(3'001, 600);  // beyond the order that is made by now
    write(5, 20);       // again: older versions are dead
    EXPECT_EQ(scroll_all({.limit = 333}), expected([](uint64_t) { return true; }));
    write(3'601, 1'500);  // so many that the order is extended
    EXPECT_EQ(scroll_all({.limit = 333}), expected([](uint64_t) { return true; }));
    ASSERT_TRUE(collection_->rewrite());
    EXPECT_EQ(scroll_all({.limit = 333}), expected([](uint64_t) { return true; }));
    open();
    EXPECT_EQ(scroll_all({.limit = 10'000}), expected([](uint64_t) { return true; }));
}

TEST_F(ScrollTest, UnderAFilterWhetherFewOrManyMatch) {
    spec_.metadata_indexes = {{"n", model::MetadataIndexType::kInteger}};
    create();
    write(1, 2'000);
    for (const bool is_indexed : {false, true}) {
        for (const auto& [low, high] : {std::pair{100, 140}, std::pair{100, 1'900}, std::pair{0, 0}}) {
            const auto keep = [low = low, high = high](uint64_t number) {
                return number >= uint64_t(low) && number < uint64_t(high);
            };
            EXPECT_EQ(scroll_all({.limit = 9, .filter = n_range(low, high)}), expected(keep))
                << low << " " << is_indexed;
        }
        ASSERT_TRUE(collection_->run_maintenance_now());
    }
}

TEST_F(ScrollTest, ADocumentThatWentIsNoObstacleAndOneThatCameIsSeenIfItIsAhead) {
    create();
    write(1, 100);
    model::ScrollRequest request{.limit = 10};
    const auto first = collection_->scroll(request);
    ASSERT_TRUE(first && first->next);
    ASSERT_TRUE(collection_->remove({first->next->id}));
    live_.erase(first->next->id);
    request.from = first->next;
    const auto second = collection_->scroll(request);
    ASSERT_TRUE(second);
    const auto all = expected([](uint64_t) { return true; });
    EXPECT_EQ(second->documents[0].id, all[10]);
}

TEST_F(ScrollTest, ByAFieldOfEachClassInBothDirections) {
    spec_.metadata_indexes = {{"n", model::MetadataIndexType::kInteger},
                              {"tag", model::MetadataIndexType::kKeyword},
                              {"at", model::MetadataIndexType::kDatetime},
                              {"even", model::MetadataIndexType::kBool}};
    create();
    write(1, 300);
    const auto check = [&](const std::string& key, auto value_of, auto keep) {
        for (const bool descending : {false, true}) {
            std::vector<model::DocumentId> ids = expected(keep);
            std::stable_sort(ids.begin(), ids.end(), [&](const auto& a, const auto& b) {
                const auto left = value_of(live_.at(a), descending);
                const auto right = value_of(live_.at(b), descending);
                return descending ? right < left : left < right;
            });
            EXPECT_EQ(scroll_all({.limit = 11, .order = model::ScrollOrder{key, descending}}), ids)
                << key << descending;
        }
    };
    const auto all = [](uint64_t) { return true; };
    check(
        "n", [](uint64_t number, bool) { return number; }, all);
    check(
        "at", [](uint64_t number, bool) { return number % 20; },
        [](uint64_t number) { return number % 4 != 0; });
    check(
        "even", [](uint64_t number, bool) { return number % 2 == 0; }, all);
    check(
        "tag",
        [](uint64_t number, bool descending) {
            return descending ? std::max(number % 5, number % 3) : std::min(number % 5, number % 3);
        },
        all);
    const auto unknown = collection_->scroll({.limit = 1, .order = model::ScrollOrder{"x", false}});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().field(), "order_by.key");
    EXPECT_EQ(collection_->scroll({.limit = 0}).error().field(), "limit");
}

TEST_F(ScrollTest, FacetsCountDocumentsByValue) {
    create();
    write(1, 210);
    remove(21);
    std::map<std::string, uint64_t> counts;
    for (const auto& [id, number] : live_) {
        ++counts["tag" + std::to_string(number % 5)];
        if (number % 5 != number % 3) {
            ++counts["tag" + std::to_string(number % 3)];
        }
    }
    const auto facet = collection_->facet({.key = "tag", .limit = 10});
    ASSERT_TRUE(facet) << facet.error().message();
    EXPECT_EQ(facet->distinct, 5U);
    ASSERT_EQ(facet->counts.size(), 5U);
    for (const model::FacetCount& found : facet->counts) {
        EXPECT_EQ(found.count, counts.at(std::get<std::string>(found.value)));
    }
    EXPECT_TRUE(std::is_sorted(facet->counts.begin(), facet->counts.end(),
                               [](const auto& a, const auto& b) { return a.count > b.count; }));
    const auto numbers = collection_->facet({.key = "n", .limit = 3, .filter = n_range(5, 9)});
    ASSERT_TRUE(numbers);
    EXPECT_EQ(numbers->distinct, 4U);
    ASSERT_EQ(numbers->counts.size(), 3U);
    EXPECT_EQ(numbers->counts[2].value, model::MatchValue(int64_t{7})) << "7.0 is 7";
    EXPECT_EQ(collection_->facet({.key = "", .limit = 3}).error().field(), "key");
    EXPECT_EQ(collection_->facet({.key = "a", .limit = 0}).error().field(), "limit");
}

TEST_F(ScrollTest, AnEstimateIsNearTheCount) {
    spec_.metadata_indexes = {{"n", model::MetadataIndexType::kInteger}};
    create();
    write(1, 2'000);
    ASSERT_TRUE(collection_->run_maintenance_now());
    const auto filter = n_range(500, 1'000);
    const uint64_t exact = collection_->count(filter.get()).value();
    EXPECT_EQ(exact, 500U);
    EXPECT_NEAR(static_cast<double>(collection_->count(filter.get(), false).value()), 500.0, 25.0);
}

}  // namespace
}  // namespace akidb::engine
