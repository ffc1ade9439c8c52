#include "engine/cold_index.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "index/coded_query.h"
#include "index/row_codes.h"
#include "index/top_k.h"
#include "simd/kernels.h"

namespace akidb::engine {
namespace {

// A request to a store takes as long as some hundred KiB of its answer: parts larger than that are worth
// reading side by side, gaps smaller are worth reading too.
constexpr uint64_t kPartBytes = 4 << 20;
constexpr uint64_t kGapBytes = 16 << 10;
// Metadata of rows that may be no answer, to save a round trip.
constexpr uint64_t kMetadataAheadBytes = 1 << 20;
// What a scan collects before it is sifted.
constexpr size_t kInDoubtMax = 16 * kColdCandidatesMax;

uint64_t blocks_a_part(const ColdLayout& layout) {
    return std::max<uint64_t>(1, kPartBytes / layout.block_bytes);
}

/// That records follow each other, from the blocks to the end of the object.
Result<void> check_blocks(const ColdHead& head, const ColdLayout& layout,
                          const std::vector<std::string>& parts) {
    uint64_t records_at = layout.codes_end();
    uint64_t number = 0;
    for (const std::string& part : parts) {
        for (size_t at = 0; at < part.size(); at += layout.block_bytes, ++number) {
            const std::string_view block = std::string_view(part).substr(at, layout.block_bytes);
            AKIDB_TRY(check_cold_block(head.seal, number, block));
            const ColdBlock facts = read_cold_block(layout, block);
            if (facts.records_at != records_at) {
                return cold_damage("records are not where they should be");
            }
            const uint64_t end =
                std::min<uint64_t>(index::kBlockRows, head.identity.rows - number * index::kBlockRows);
            for (uint64_t i = 0; i < end; ++i) {
                const ColdBlock::Row& row = facts.rows[i];
                records_at += layout.record_bytes(row.id_bytes, row.metadata_bytes);
            }
        }
    }
    return records_at == head.object_bytes ? Result<void>() : cold_damage("its length is wrong");
}

/// A row that may be among the nearest.
struct InDoubt {
    float distance = 0;  // as codes tell
    float least = 0;     // less their error
    uint64_t number = 0;
};

/// Where its record lies, and its parts once they were read. Views of a front stay right when it moves: it is
/// longer than what a string keeps in itself.
struct ColdCandidate {
    uint64_t number = 0;
    uint64_t offset = 0;
    ColdBlock::Row facts{};
    std::string front{};
    std::string back{};  // the metadata and its checksum
    ColdRecord record{};
    model::DocumentId id{};
    float distance = 0;
};

/// Ranges that are read together, and what of them is whose.
class Reading {
  public:
    void want(ColdRange range, std::string& into) { wanted_.push_back({range, &into}); }
    Result<void> run(ReadRanges read) {
        if (wanted_.empty()) {
            return {};
        }
        std::sort(wanted_.begin(), wanted_.end(),
                  [](const Wanted& a, const Wanted& b) { return a.range.offset < b.range.offset; });
        std::vector<ColdRange> ranges;
        std::vector<size_t> range_of;
        for (const Wanted& one : wanted_) {
            const uint64_t end = one.range.offset + one.range.count;
            if (ranges.empty() || one.range.offset > ranges.back().offset + ranges.back().count + kGapBytes) {
                ranges.push_back(one.range);
            } else {
                ranges.back().count = std::max(ranges.back().count, end - ranges.back().offset);
            }
            range_of.push_back(ranges.size() - 1);
        }
        AKIDB_TRY(const std::vector<std::string> bytes, read(ranges));
        for (size_t i = 0; i < wanted_.size(); ++i) {
            const ColdRange& range = wanted_[i].range;
            const std::string& from = bytes.at(range_of[i]);
            const uint64_t at = range.offset - ranges[range_of[i]].offset;
            if (at > from.size() || range.count > from.size() - at) {
                return cold_damage("the store sent less than was asked for");
            }
            *wanted_[i].into = from.substr(at, range.count);
        }
        return {};
    }

  private:
    struct Wanted {
        ColdRange range;
        std::string* into;
    };
    std::vector<Wanted> wanted_;
};

}  // namespace

bool is_cold_search(const model::SearchRequest& request) {
    return request.vector_name.empty() && !request.is_composed() &&
           (request.filter == nullptr || request.filter->is_empty()) && !request.params.exact &&
           request.excluded.empty() && uint64_t{request.top_k} + request.offset <= kColdTopKMax;
}

ColdIndex::ColdIndex(ColdHead head, std::vector<std::string> parts)
    : head_(std::move(head)),
      layout_(head_.identity),
      parts_(std::move(parts)),
      form_(head_.identity.shape, simd::choose_kernels("")),
      space_(form_, head_.frame) {}

std::string_view ColdIndex::block(uint64_t number) const {
    const uint64_t a_part = blocks_a_part(layout_);
    return std::string_view(parts_[number / a_part])
        .substr(number % a_part * layout_.block_bytes, layout_.block_bytes);
}

Result<std::shared_ptr<const ColdIndex>> ColdIndex::read(const ColdIdentity& identity, ReadRanges read) {
    if (identity.rows == 0 || identity.rows > index::kRowsMax) {
        return Error(Code::kConflict, "there are no rows");
    }
    const ColdLayout layout(identity);
    std::vector<ColdRange> ranges{{0, layout.head_bytes}};
    for (uint64_t block = 0; block < layout.blocks; block += blocks_a_part(layout)) {
        const uint64_t count = std::min(blocks_a_part(layout), layout.blocks - block);
        ranges.push_back({layout.block_at(block), count * layout.block_bytes});
    }
    AKIDB_TRY(std::vector<std::string> parts, read(ranges));
    for (size_t i = 0; i < ranges.size(); ++i) {
        if (parts.size() != ranges.size() || parts[i].size() != ranges[i].count) {
            return cold_damage("the store sent less than was asked for");
        }
    }
    AKIDB_TRY(ColdHead head, decode_cold_head(parts.front(), identity));
    parts.erase(parts.begin());
    AKIDB_TRY(check_blocks(head, layout, parts));
    return std::shared_ptr<const ColdIndex>(std::make_shared<ColdIndex>(std::move(head), std::move(parts)));
}

class ColdIndex::Search {
  public:
    Search(const ColdIndex& index, const model::SearchRequest& request, uint64_t now_ms, ReadRanges read)
        : index_(index),
          layout_(index.layout_),
          request_(request),
          now_ms_(now_ms),
          read_(read),
          wanted_(size_t{request.top_k} + request.offset),
          query_(index.form_.query_size()) {
        index::encode_query(index.form_.metric(), request.vector, query_);
    }

    Result<model::SearchReply> run() {
        index::CodedQuery coded;
        coded.set(index_.space_, query_.data(), {});
        if (!(coded.length() * coded.length() < index::kFarthestSquared)) {
            return Error(Code::kConflict, "the vector is too long for codes");
        }
        std::vector<InDoubt> nearest = scan(coded);
        std::vector<ColdCandidate> candidates = find_records(nearest);
        AKIDB_TRY(read_records(candidates));
        compare(candidates);
        cut(candidates);
        AKIDB_TRY(read_metadata(candidates));
        return answer(candidates);
    }

  private:
    /// All whose distance may be within that of the wanted ones, whatever the errors are.
    std::vector<InDoubt> scan(const index::CodedQuery& coded) {
        index::TopK farthest(wanted_);  // of the wanted ones, with their errors
        std::vector<InDoubt> found;
        index::BlockDistances told;
        for (uint64_t number = 0; number < layout_.blocks; ++number) {
            const std::string_view block = index_.block(number);
            index::scan_block(index_.space_, coded, reinterpret_cast<const uint8_t*>(block.data()), told);
            const uint64_t first = number * index::kBlockRows;
            const uint64_t count = std::min<uint64_t>(index::kBlockRows, row_count() - first);
            std::optional<ColdBlock> facts;
            for (uint64_t i = 0; i < count; ++i) {
                const float least = told.distances[i] - told.errors[i];
                if (!(least <= farthest.bound())) {
                    continue;
                }
                if (!facts) {
                    facts = read_cold_block(layout_, block);
                }
                if (surely_expired(facts->rows[i])) {
                    continue;
                }
                farthest.offer({told.distances[i] + told.errors[i], static_cast<uint32_t>(first + i)});
                found.push_back({told.distances[i], least, first + i});
            }
            if (found.size() >= kInDoubtMax) {
                sift(found, farthest.bound());
            }
        }
        sift(found, farthest.bound());
        return found;
    }

    void sift(std::vector<InDoubt>& found, float bound) {
        std::erase_if(found, [&](const InDoubt& one) { return one.least > bound; });
        if (found.size() > kColdCandidatesMax) {
            const auto end = found.begin() + static_cast<std::ptrdiff_t>(kColdCandidatesMax);
            std::nth_element(found.begin(), end, found.end(), [](const InDoubt& a, const InDoubt& b) {
                return std::pair(a.distance, a.number) < std::pair(b.distance, b.number);
            });
            found.erase(end, found.end());
        }
    }

    uint64_t row_count() const { return index_.head_.identity.rows; }

    bool surely_expired(const ColdBlock::Row& row) const {
        return row.expires_s != 0 && row.expires_s != std::numeric_limits<uint32_t>::max() &&
               row.expires_s < now_ms_ / 1000;
    }

    std::vector<ColdCandidate> find_records(const std::vector<InDoubt>& found) const {
        std::vector<ColdCandidate> candidates;
        candidates.reserve(found.size());
        for (const InDoubt& one : found) {
            const ColdBlock facts = read_cold_block(layout_, index_.block(one.number / index::kBlockRows));
            const uint64_t within = one.number % index::kBlockRows;
            ColdCandidate& made = candidates.emplace_back();
            made.number = one.number;
            made.facts = facts.rows[within];
            made.offset = facts.records_at;
            for (uint64_t i = 0; i < within; ++i) {
                made.offset += layout_.record_bytes(facts.rows[i].id_bytes, facts.rows[i].metadata_bytes);
            }
        }
        return candidates;
    }

    void want_metadata(Reading& reading, ColdCandidate& of) const {
        const uint64_t front = layout_.front_bytes(of.facts.id_bytes);
        const uint64_t whole = layout_.record_bytes(of.facts.id_bytes, of.facts.metadata_bytes);
        reading.want({of.offset + front, whole - front}, of.back);
    }

    Result<void> read_records(std::vector<ColdCandidate>& candidates) const {
        uint64_t metadata = 0;
        for (const ColdCandidate& one : candidates) {
            metadata += one.facts.metadata_bytes;
        }
        Reading reading;
        for (ColdCandidate& one : candidates) {
            reading.want({one.offset, layout_.front_bytes(one.facts.id_bytes)}, one.front);
            if (request_.include.metadata && metadata <= kMetadataAheadBytes) {
                want_metadata(reading, one);
            }
        }
        AKIDB_TRY(reading.run(read_));
        for (ColdCandidate& one : candidates) {
            AKIDB_TRY(one.record, read_cold_front(layout_, index_.head_.seal, one.number, one.front));
            AKIDB_TRY(one.id, model::DocumentId::decode(one.record.id));
            if (one.record.expires_at_ms != 0 && one.record.expires_at_ms <= now_ms_) {
                // It took the place of another among the candidates.
                return Error(Code::kConflict, "a document expired just now");
            }
        }
        return {};
    }

    /// Exactly, by the rows themselves.
    void compare(std::vector<ColdCandidate>& candidates) const {
        static_assert(kColdCandidatesMax <= index::kRowsPerChunk);
        index::Rows rows(index_.head_.identity.shape, simd::choose_kernels(""));
        std::vector<std::byte> bytes(candidates.size() * rows.row_bytes());
        rows.set_chunk(0, bytes.data());
        for (size_t i = 0; i < candidates.size(); ++i) {
            const std::string_view row = candidates[i].record.row;
            std::memcpy(bytes.data() + i * row.size(), row.data(), row.size());
            candidates[i].distance = rows.distance(query_.data(), static_cast<uint32_t>(i));
        }
    }

    /// To those that are the answer, in its order.
    void cut(std::vector<ColdCandidate>& candidates) {
        compared_ = candidates.size();
        std::erase_if(candidates, [&](const ColdCandidate& one) { return is_beyond(one.distance); });
        std::sort(candidates.begin(), candidates.end(), [](const ColdCandidate& a, const ColdCandidate& b) {
            return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
        });
        candidates.resize(std::min(candidates.size(), wanted_));
        const size_t skipped = std::min<size_t>(request_.offset, candidates.size());
        candidates.erase(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(skipped));
    }

    bool is_beyond(float distance) const {
        if (!request_.score_threshold) {
            return false;
        }
        const float score = index::score_of(index_.form_.metric(), distance);
        return index_.form_.metric() == model::Metric::kL2 ? score > *request_.score_threshold
                                                           : score < *request_.score_threshold;
    }

    Result<void> read_metadata(std::vector<ColdCandidate>& answers) const {
        if (!request_.include.metadata) {
            return {};
        }
        Reading reading;
        for (ColdCandidate& one : answers) {
            if (one.back.empty()) {
                want_metadata(reading, one);
            }
        }
        return reading.run(read_);
    }

    Result<model::SearchReply> answer(const std::vector<ColdCandidate>& answers) const {
        model::SearchReply reply;
        const index::RowShape& shape = index_.head_.identity.shape;
        index::Rows rows(shape, simd::choose_kernels(""));
        for (const ColdCandidate& one : answers) {
            model::SearchMatch& match = reply.matches.emplace_back();
            match.document.id = one.id;
            match.document.version = one.record.version;
            match.document.expires_at_ms = one.record.expires_at_ms;
            match.document.metadata.clear();
            match.score = index::score_of(shape.metric, one.distance);
            if (request_.include.has_vector("")) {
                std::vector<std::byte> bytes(rows.row_bytes());
                std::memcpy(bytes.data(), one.record.row.data(), bytes.size());
                rows.set_chunk(0, bytes.data());
                match.document.vector.resize(shape.dimension);
                const float* const kept = rows.vector(0, match.document.vector.data());
                if (kept != match.document.vector.data()) {
                    std::copy(kept, kept + shape.dimension, match.document.vector.data());
                }
            }
            if (request_.include.metadata) {
                AKIDB_TRY(const std::string_view metadata,
                          read_cold_metadata(index_.head_.seal, one.number, one.back));
                match.document.metadata = metadata;
            }
        }
        reply.explanation = model::SearchExplanation{.plan = "cold",
                                                     .estimated_matches = row_count(),
                                                     .distances = row_count() + compared_,
                                                     .candidates = compared_};
        return reply;
    }

    const ColdIndex& index_;
    const ColdLayout& layout_;
    const model::SearchRequest& request_;
    const uint64_t now_ms_;
    const ReadRanges read_;
    const size_t wanted_;
    std::vector<float> query_;
    size_t compared_ = 0;
};

Result<model::SearchReply> ColdIndex::search(const model::SearchRequest& request, uint64_t now_ms,
                                             ReadRanges read) const {
    AKIDB_ASSERT(is_cold_search(request) && request.vector.size() == form_.dimension());
    return Search(*this, request, now_ms, read).run();
}

}  // namespace akidb::engine
