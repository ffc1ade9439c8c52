#include "index/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace akidb::index {
namespace {

constexpr size_t kTop = 10;
constexpr size_t kWide = 100;  // neighbours that the growth is measured to
// A dimension of 2 and one of 100: beyond them the measure is a quirk of the data.
constexpr float kGrowthMax = 1;
constexpr float kGrowthMin = 0.02f;
// The recall of one question says little of another's: at a mean of 0.97 it deviates by 0.15, so 128 are off
// by more than a point, a thousand by half a point. Where graphs are small, or scans take long, fewer must
// do: measuring is to cost little beside linking.
constexpr uint32_t kQuestionsMin = 128;
constexpr uint32_t kQuestionsMax = 1'024;
constexpr uint32_t kRowsPerQuestion = 64;
constexpr uint64_t kScannedBytesMax = uint64_t{8} << 30;
// Walks by wide beams take most of the time, and deviate least.
constexpr uint32_t kWideBeam = 192;
constexpr size_t kOfWideBeams = 4;  // one question in so many, but for the least number
constexpr uint32_t kRowsMin = 1'000;
constexpr std::array<uint32_t, 13> kLadder{10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024};
constexpr double kGoodEnough = 0.9995;

struct Question {
    uint32_t row = 0;
    std::vector<float> query;
    float farthest = 0;  // of the true nearest
    size_t count = 0;
};

/// 2/m of stop_rule.h, where ten times the rows lie within these distances. Copies and dot have none.
void note_growth(model::Metric metric, float near, float far, std::vector<float>& growths) {
    if (metric == model::Metric::kCosine) {  // to squared distances of unit vectors
        near = 2 + 2 * near;
        far = 2 + 2 * far;
    }
    if (metric != model::Metric::kDot && near > 0 && far > near) {
        growths.push_back(std::log(far / near) / std::log(static_cast<float>(kWide) / kTop));
    }
}

uint32_t question_count(uint32_t rows, uint32_t dimension) {
    const uint64_t code_bytes = uint64_t{rows} * dimension / 2;
    const uint64_t affordable = kScannedBytesMax / std::max<uint64_t>(code_bytes, 1);
    const uint64_t wanted = std::min<uint64_t>({affordable, rows / kRowsPerQuestion, kQuestionsMax});
    return static_cast<uint32_t>(std::max<uint64_t>(wanted, kQuestionsMin));
}

float median_growth(std::vector<float>& growths) {
    if (growths.size() < kQuestionsMin / 4) {
        return 0;
    }
    const auto middle = growths.begin() + static_cast<std::ptrdiff_t>(growths.size() / 2);
    std::nth_element(growths.begin(), middle, growths.end());
    return std::clamp(*middle, kGrowthMin, kGrowthMax);
}

}  // namespace

RecallCurve::RecallCurve(uint32_t rows, std::vector<RecallPoint> points)
    : rows_(rows), points_(std::move(points)) {
    for (size_t i = 1; i < points_.size(); ++i) {
        points_[i].recall = std::max(points_[i].recall, points_[i - 1].recall);
    }
}

uint32_t RecallCurve::ef_for(double target) const {
    if (points_.empty() || points_.front().recall >= target) {
        return points_.empty() ? 0 : points_.front().ef;
    }
    for (size_t i = 1; i < points_.size(); ++i) {
        const RecallPoint& low = points_[i - 1];
        const RecallPoint& high = points_[i];
        if (high.recall >= target) {
            const double share = (target - low.recall) / (high.recall - low.recall);
            return static_cast<uint32_t>(std::ceil(low.ef + share * (high.ef - low.ef)));
        }
    }
    return points_.back().ef * 2;
}

double RecallCurve::recall_at(uint32_t ef) const {
    if (points_.empty() || ef <= points_.front().ef) {
        return points_.empty() ? 0 : points_.front().recall;
    }
    for (size_t i = 1; i < points_.size(); ++i) {
        const RecallPoint& low = points_[i - 1];
        const RecallPoint& high = points_[i];
        if (ef <= high.ef) {
            return low.recall + (high.recall - low.recall) * (ef - low.ef) / (high.ef - low.ef);
        }
    }
    return points_.back().recall;
}

RecallCurve measure_recall(Graph& graph, const Rows& rows, uint32_t linked, Accept accept,
                           FunctionRef<bool()> cancelled, SearchScratch& scratch) {
    if (linked < kRowsMin) {
        return {};
    }
    std::vector<Question> questions;
    std::vector<float> room(rows.dimension());
    std::vector<float> growths;
    TopK best(kWide);
    const uint32_t wanted = question_count(linked, rows.dimension());
    for (uint32_t i = 0; i < wanted && !cancelled(); ++i) {
        Question question{.row = static_cast<uint32_t>(uint64_t{linked} * i / wanted), .query = {}};
        if (!accept(question.row)) {
            continue;
        }
        question.query.resize(rows.query_size());
        encode_query(rows.metric(), {rows.vector(question.row, room.data()), rows.dimension()},
                     question.query);
        const auto others = [&](uint32_t row) { return row != question.row && accept(row); };
        graph.scan(question.query.data(), 0, linked, others, scratch, best);
        const std::vector<Candidate> nearest = best.take_sorted();
        if (nearest.size() < kTop) {
            continue;
        }
        question.farthest = nearest[kTop - 1].distance;
        questions.push_back(std::move(question));
        if (nearest.size() == kWide) {
            note_growth(rows.metric(), nearest[kTop - 1].distance, nearest.back().distance, growths);
        }
    }
    if (cancelled()) {
        return {};
    }
    graph.set_growth(median_growth(growths));
    best.reset(kTop);
    std::vector<RecallPoint> points;
    for (const uint32_t ef : kLadder) {
        const bool are_many = questions.size() >= kQuestionsMin * kOfWideBeams;
        const size_t step = ef >= kWideBeam && are_many ? kOfWideBeams : 1;
        size_t hits = 0;
        size_t asked = 0;
        for (size_t at = 0; at < questions.size(); at += step) {
            const Question& question = questions[at];
            if (cancelled()) {
                return {};
            }
            ++asked;
            const auto others = [&](uint32_t row) { return row != question.row && accept(row); };
            graph.search_avoiding(question.row, question.query.data(), ef, linked, others, scratch, best);
            for (const Candidate& found : best.take_sorted()) {
                hits += found.distance <= question.farthest ? 1 : 0;
            }
        }
        const double possible = static_cast<double>(std::max<size_t>(asked, 1) * kTop);
        points.push_back({ef, std::min(static_cast<double>(hits) / possible, 1.0)});
        if (points.back().recall >= kGoodEnough) {
            break;
        }
    }
    return questions.empty() || cancelled() ? RecallCurve() : RecallCurve(linked, std::move(points));
}

}  // namespace akidb::index
