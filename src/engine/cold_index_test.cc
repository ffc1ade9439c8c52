// Cold indexes: what they answer is what an exact search answers, in the round trips that they promise, and a
// byte that is not the one that was written never makes an answer.
#include "engine/cold_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "engine/cold_writer.h"
#include "engine/collection_for_tests.h"
#include "storage/manifest.h"

namespace akidb::engine {
namespace {

using model::Metric;
using model::VectorStorage;

/// One object, asked for by ranges.
struct StoredObject {
    std::string bytes;
    uint64_t round_trips = 0;
    uint64_t ranges = 0;

    Result<std::vector<std::string>> read(const std::vector<ColdRange>& wanted) {
        ++round_trips;
        ranges += wanted.size();
        std::vector<std::string> read;
        for (const ColdRange& range : wanted) {
            if (range.offset > bytes.size() || range.count > bytes.size() - range.offset) {
                return Error(Code::kDataLoss, "the object ends before what was asked of it");
            }
            read.push_back(bytes.substr(range.offset, range.count));
        }
        return read;
    }
};

class ColdIndexTest : public CollectionFixture {
  protected:
    /// Null when there is none.
    std::unique_ptr<ColdIndexFile> make_file() {
        const auto settled = collection_->settle_and_close();
        EXPECT_TRUE(settled) << settled.error().message();
        const auto manifest = storage::read_manifest(*files_, directory());
        auto file = ColdIndexFile::make(*files_, directory(), **manifest, [] { return false; });
        EXPECT_TRUE(file) << file.error().message();
        return file ? std::move(*file) : nullptr;
    }
    void store(const ColdIndexFile& file) {
        identity_ = file.identity();
        ASSERT_TRUE(file.read_at(0, file.size(), object_.bytes));
    }
    Result<std::shared_ptr<const ColdIndex>> read_index() {
        return ColdIndex::read(identity_, [&](const auto& ranges) { return object_.read(ranges); });
    }
    Result<model::SearchReply> ask(const ColdIndex& index, const model::SearchRequest& request,
                                   uint64_t now_ms = 0) {
        return index.search(request, now_ms, [&](const auto& ranges) { return object_.read(ranges); });
    }
    Result<model::SearchReply> ask(const model::SearchRequest& request) {
        AKIDB_TRY(const auto index, read_index());
        return ask(*index, request);
    }
    /// Some twenty clusters, as words have; what is asked for lies in them, too.
    std::vector<float> clustered(uint64_t seed) const {
        std::vector<float> vector = seeded_document(spec_.dimension, 0, seed % 20 + 1'000'000).vector;
        const std::vector<float> off = seeded_document(spec_.dimension, 0, seed).vector;
        for (size_t i = 0; i < vector.size(); ++i) {
            vector[i] += 0.8F * off[i];
        }
        return vector;
    }
    void upsert_clustered(uint64_t count) {
        std::vector<model::Document> batch;
        for (uint64_t id = 1; id <= count; ++id) {
            model::Document made = document(id, id);
            made.vector = clustered(id);
            batch.push_back(std::move(made));
            if (batch.size() == 500 || id == count) {
                ASSERT_TRUE(collection_->upsert(std::exchange(batch, {})));
            }
        }
    }
    model::SearchRequest nearest_to(uint64_t seed, uint32_t top_k = 10) const {
        model::SearchRequest request;
        request.vector = clustered(seed);
        request.top_k = top_k;
        request.include = {.vector = true, .metadata = true};
        return request;
    }
    static void expect_equal(const model::SearchReply& one, const model::SearchReply& other) {
        ASSERT_EQ(one.matches.size(), other.matches.size());
        for (size_t i = 0; i < one.matches.size(); ++i) {
            EXPECT_EQ(one.matches[i].document.id, other.matches[i].document.id);
            EXPECT_EQ(one.matches[i].document.version, other.matches[i].document.version);
            EXPECT_EQ(one.matches[i].document.vector, other.matches[i].document.vector);
            EXPECT_EQ(one.matches[i].document.metadata, other.matches[i].document.metadata);
            EXPECT_EQ(one.matches[i].document.expires_at_ms, other.matches[i].document.expires_at_ms);
            EXPECT_EQ(one.matches[i].score, other.matches[i].score);
        }
    }

    StoredObject object_;
    ColdIdentity identity_;
};

/// Documents that were replaced and deleted are never found, and ranks of those that are there are those of a
/// search that compares with all.
TEST_F(ColdIndexTest, AnswersAsAnExactSearchInOneRoundTrip) {
    for (const auto& [metric, storage, dimension] : {std::tuple{Metric::kCosine, VectorStorage::kF32, 100U},
                                                     std::tuple{Metric::kL2, VectorStorage::kF16, 64U},
                                                     std::tuple{Metric::kDot, VectorStorage::kInt8, 96U}}) {
        spec_.metric = metric;
        spec_.storage = storage;
        spec_.dimension = dimension;
        collection_.reset();
        std::filesystem::remove_all(directory());
        create();
        upsert_clustered(4'000);
        upsert(1, 50, 77);
        std::vector<model::DocumentId> gone;
        for (uint64_t id = 100; id < 1'000; id += 3) {
            gone.emplace_back(id);
        }
        ASSERT_TRUE(collection_->remove(gone));
        std::vector<model::SearchReply> exact;
        for (uint64_t i = 0; i < 60; ++i) {
            model::SearchRequest request = nearest_to(50'000 + i);
            request.params.exact = true;
            exact.push_back(collection_->search(request).value());
        }
        const auto file = make_file();
        ASSERT_NE(file, nullptr);
        store(*file);
        object_.round_trips = 0;
        const auto index = read_index();
        ASSERT_TRUE(index) << index.error().message();
        EXPECT_EQ(object_.round_trips, 1U);
        EXPECT_EQ((*index)->bytes(), ColdIndex::bytes_of(identity_));
        size_t found = 0;
        object_.ranges = 0;
        for (uint64_t i = 0; i < 60; ++i) {
            const auto reply = ask(**index, nearest_to(50'000 + i));
            ASSERT_TRUE(reply) << reply.error().message();
            std::set<model::DocumentId> ids;
            for (const model::SearchMatch& match : exact[i].matches) {
                ids.insert(match.document.id);
            }
            for (const model::SearchMatch& match : reply->matches) {
                found += ids.count(match.document.id);
            }
            if (reply->matches.front().document.id == exact[i].matches.front().document.id) {
                EXPECT_EQ(reply->matches.front().score, exact[i].matches.front().score);
                EXPECT_EQ(reply->matches.front().document.vector, exact[i].matches.front().document.vector);
                EXPECT_EQ(reply->matches.front().document.metadata,
                          exact[i].matches.front().document.metadata);
            }
            EXPECT_EQ(reply->explanation->plan, "cold");
        }
        EXPECT_EQ(object_.round_trips, 61U);
        const double recall = static_cast<double>(found) / 600;
        std::printf("%s %s %u: recall@10 %.4f, %.1f ranges a search, %.1f bytes of codes a row\n",
                    std::string(name_of(metric)).c_str(), std::string(name_of(storage)).c_str(), dimension,
                    recall, static_cast<double>(object_.ranges) / 60,
                    static_cast<double>((*index)->bytes()) / static_cast<double>(identity_.rows));
        EXPECT_GE(recall, 0.99);
    }
}

TEST_F(ColdIndexTest, TakesPagesThresholdsAndFewRowsAsEverySearchDoes) {
    create();
    upsert(1, 70);
    model::SearchRequest page = nearest_to(5, 8);
    page.offset = 4;
    model::SearchRequest bounded = nearest_to(6, 70);
    bounded.score_threshold = 0.3F;
    model::SearchRequest all = nearest_to(7, kColdTopKMax);
    std::vector<model::SearchReply> exact;
    for (model::SearchRequest request : {page, bounded, all}) {
        request.params.exact = true;
        exact.push_back(collection_->search(request).value());
    }
    const auto file = make_file();
    store(*file);
    expect_equal(ask(page).value(), exact[0]);
    expect_equal(ask(bounded).value(), exact[1]);
    expect_equal(ask(all).value(), exact[2]);
    EXPECT_EQ(exact[2].matches.size(), 70U);
    EXPECT_TRUE(is_cold_search(all));
    model::SearchRequest more = all;
    more.offset = 1;
    EXPECT_FALSE(is_cold_search(more));
    more = all;
    more.vector_name = "side";
    EXPECT_FALSE(is_cold_search(more));
    more = all;
    more.params.exact = true;
    EXPECT_FALSE(is_cold_search(more));
    more = all;
    more.filter = std::make_shared<model::Filter>(n_below(3));
    EXPECT_FALSE(is_cold_search(more));
}

/// The metadata of all candidates is read with them while it is little, else afterwards and only the
/// answer's.
TEST_F(ColdIndexTest, ReadsLongMetadataOfTheAnswerAlone) {
    create();
    std::vector<model::Document> batch;
    for (uint64_t id = 1; id <= 60; ++id) {
        model::Document made = document(id, id);
        model::MetadataWriter writer;
        writer.begin_object();
        writer.key("text");
        writer.put_string(std::string(100'000, static_cast<char>('a' + id % 26)));
        writer.end();
        made.metadata = std::move(writer).finish().value();
        batch.push_back(std::move(made));
    }
    ASSERT_TRUE(collection_->upsert(batch));
    model::SearchRequest request = nearest_to(5, 11);
    request.params.exact = true;
    const auto exact = collection_->search(request);
    request.params.exact = false;
    const auto file = make_file();
    store(*file);
    const auto index = read_index();
    object_.round_trips = 0;
    expect_equal(ask(**index, request).value(), *exact);
    EXPECT_EQ(object_.round_trips, 2U);
    request.include.metadata = false;
    object_.round_trips = 0;
    EXPECT_TRUE(ask(**index, request)->matches.front().document.metadata.empty());
    EXPECT_EQ(object_.round_trips, 1U);
}

TEST_F(ColdIndexTest, LeavesOutWhatExpires) {
    create();
    const uint64_t now_ms = clock_->unix_ms();
    const uint64_t then_ms = now_ms + 3'600'500;
    std::vector<model::Document> batch;
    for (uint64_t id = 1; id <= 100; ++id) {
        batch.push_back(document(id, id));
        batch.back().expires_at_ms = id % 2 == 0 ? then_ms : 0;
    }
    ASSERT_TRUE(collection_->upsert(batch));
    const auto file = make_file();
    store(*file);
    const auto index = read_index();
    const model::SearchRequest request = nearest_to(5, 100);
    EXPECT_EQ(ask(**index, request, now_ms)->matches.size(), 100U);
    const auto before = ask(**index, request, then_ms - 1);
    ASSERT_TRUE(before) << before.error().message();
    EXPECT_EQ(before->matches.size(), 100U);
    // Within its second only the records tell: there is no answer rather than one that lacks a document.
    EXPECT_EQ(ask(**index, request, then_ms).error().code(), Code::kConflict);
    const auto after = ask(**index, request, then_ms + 1'000);
    ASSERT_TRUE(after) << after.error().message();
    EXPECT_EQ(after->matches.size(), 50U);
    for (const model::SearchMatch& match : after->matches) {
        EXPECT_EQ(match.document.expires_at_ms, 0U);
    }
}

TEST_F(ColdIndexTest, AByteThatChangedIsNeverInAnAnswer) {
    create();
    upsert(1, 70);
    const auto file = make_file();
    store(*file);
    const std::string right = object_.bytes;
    const model::SearchRequest request = nearest_to(5, 3);
    const model::SearchReply expected = ask(request).value();
    uint64_t refused = 0;
    uint64_t untouched = 0;
    for (size_t at = 0; at < right.size(); at += 3) {
        object_.bytes = storage::with_flipped_bit(right, at * 8 + at % 8);
        const auto reply = ask(request);
        if (reply) {
            ++untouched;
            expect_equal(*reply, expected);
        } else {
            ++refused;
            EXPECT_EQ(reply.error().code(), Code::kDataLoss) << at;
        }
    }
    const ColdLayout layout(identity_);
    EXPECT_GE(refused, layout.codes_end() / 3) << "all of head and blocks, and records that were read";
    EXPECT_GT(untouched, 0U) << "records that nobody asked for";
    for (const size_t bytes : {size_t{0}, size_t{100}, size_t{layout.codes_end()}, right.size() - 1}) {
        object_.bytes = right.substr(0, bytes);
        const auto reply = ask(nearest_to(5, 70));
        ASSERT_FALSE(reply) << bytes;
        EXPECT_EQ(reply.error().code(), Code::kDataLoss);
    }
}

/// Bytes that are right at another place, or of another collection or checkpoint.
TEST_F(ColdIndexTest, BytesOfAnotherPlaceAreNotTakenEither) {
    create();
    upsert(1, 70);
    const auto file = make_file();
    store(*file);
    const ColdLayout layout(identity_);
    const std::string right = object_.bytes;
    const model::SearchRequest request = nearest_to(5, 70);
    const auto swapped = [&](uint64_t a, uint64_t b, uint64_t count) {
        std::string bytes = right;
        std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(a),
                         bytes.begin() + static_cast<std::ptrdiff_t>(a + count),
                         bytes.begin() + static_cast<std::ptrdiff_t>(b));
        return bytes;
    };
    object_.bytes = swapped(layout.block_at(0), layout.block_at(1), layout.block_bytes);
    EXPECT_EQ(ask(request).error().code(), Code::kDataLoss);
    // Of one id the records are all of one length.
    const uint64_t record = (right.size() - layout.codes_end()) / 70;
    object_.bytes = swapped(layout.codes_end(), layout.codes_end() + record, record);
    EXPECT_EQ(ask(request).error().code(), Code::kDataLoss);
    object_.bytes = right;
    for (const auto& change : std::vector<std::function<void(ColdIdentity&)>>{
             [](ColdIdentity& other) { ++other.version; }, [](ColdIdentity& other) { ++other.rows; },
             [](ColdIdentity& other) { other.collection.bytes[0] ^= 1; },
             [](ColdIdentity& other) { other.shape.metric = Metric::kL2; },
             [](ColdIdentity& other) { other.shape.storage = VectorStorage::kF16; }}) {
        ColdIdentity other = identity_;
        change(other);
        EXPECT_FALSE(
            ColdIndex::read(other, [&](const auto& ranges) { return object_.read(ranges); }).has_value());
    }
    EXPECT_TRUE(ask(request));
}

TEST_F(ColdIndexTest, IsTheSameInWhateverPiecesItIsRead) {
    create();
    upsert(1, 150);
    upsert(10, 40, 5);
    const auto file = make_file();
    store(*file);
    for (const size_t piece : {size_t{1'000}, size_t{4'096}, size_t{65'536}}) {
        std::string bytes;
        std::string read;
        for (uint64_t at = 0; at < file->size(); at += read.size()) {
            ASSERT_TRUE(file->read_at(at, std::min<uint64_t>(piece, file->size() - at), read));
            bytes += read;
        }
        EXPECT_EQ(bytes, object_.bytes);
    }
    std::string read;
    EXPECT_FALSE(file->read_at(file->size() - 5, 6, read));
}

TEST_F(ColdIndexTest, IsNotMadeWhereItCouldNotAnswer) {
    create();
    EXPECT_EQ(make_file(), nullptr) << "there is nothing in it";
    spec_.metric = Metric::kL2;
    std::filesystem::remove_all(directory());
    create();
    upsert(1, 20);
    model::Document far = document(30, 30);
    far.vector[0] = 1e16F;
    ASSERT_TRUE(collection_->upsert({far}));
    EXPECT_EQ(make_file(), nullptr) << "a vector is too long for codes";
}

/// Damage on the disk gets no checksum that says that it is right.
TEST_F(ColdIndexTest, IsNotMadeOfADamagedFile) {
    create();
    upsert(1, 40);
    ASSERT_TRUE(collection_->settle_and_close());
    const auto manifest = storage::read_manifest(*files_, directory());
    const std::string path = directory() + "/seg/" + (*manifest)->rows.front().file.name;
    const std::string bytes = storage::read_bytes(path);
    storage::write_bytes(path, storage::with_flipped_bit(bytes, (4'096 + 70) * 8));  // in a vector
    const auto file = ColdIndexFile::make(*files_, directory(), **manifest, [] { return false; });
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace akidb::engine
