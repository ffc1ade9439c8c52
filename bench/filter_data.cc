#include "bench/filter_data.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <numeric>
#include <random>
#include <span>

#include "index/top_k.h"
#include "model/document_id.h"
#include "model/metadata.h"

namespace akidb::bench {
namespace {

using Clock = std::chrono::steady_clock;
using engine::Generation;
using index::Candidate;
using index::TopK;

constexpr uint32_t kAnchors = 4;

std::vector<float> distances_to(const Generation& generation, uint32_t rows, std::span<const float> vector) {
    std::vector<float> query(generation.rows.rows().query_size());
    index::encode_query(generation.rows.rows().metric(), vector, query);
    std::vector<float> distances(rows);
    for (uint32_t row = 0; row < rows; ++row) {
        distances[row] = generation.rows.rows().distance(query.data(), row);
    }
    return distances;
}

Order order_by(const std::vector<float>& values) {
    Order order(values.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return values[a] < values[b]; });
    return order;
}

void answer_exactly(const FilterData& data, const VectorFile& queries, FilterQuery& query) {
    const uint32_t rows = data.snapshot.rows;
    const std::vector<float> distances = distances_to(*data.generation, rows, queries.row(query.vector));
    const Order& order = data.orders[query.order];
    TopK best(kTop);
    uint32_t next = 0;
    for (size_t i = kShares.size(); i-- > 0;) {
        for (; next < matches_of(kShares[i], rows); ++next) {
            best.offer({distances[order[next]], order[next]});
        }
        TopK copy = best;
        const std::vector<Candidate> nearest = copy.take_sorted();
        query.edge[i] = nearest.back().distance;
        query.answers[i] = static_cast<uint32_t>(nearest.size());
    }
}

// The vectors and, as metadata, each row's place in every order.
void append_rows(FilterData& data, const VectorFile& base, uint32_t rows) {
    // The orders by anchor need distances, hence rows: those are made first, in a generation of their own.
    Generation plain({data.generation->first().column.spec}, {}, 1);
    if (!plain.rows.reserve(rows) || !data.generation->rows.reserve(rows)) {
        fail("no memory");
    }
    for (uint32_t row = 0; row < rows; ++row) {
        plain.rows.append({base.row(row), 1, {}, {}, engine::kNoRow});
    }
    std::mt19937 random(7);
    Order shuffled(rows);
    std::iota(shuffled.begin(), shuffled.end(), 0u);
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    data.orders.push_back(std::move(shuffled));
    for (uint32_t anchor = 0; anchor < kAnchors; ++anchor) {
        const auto row = static_cast<uint32_t>(random() % rows);
        data.orders.push_back(order_by(distances_to(plain, rows, base.row(row))));
    }
    std::vector<std::vector<uint32_t>> places(data.orders.size(), std::vector<uint32_t>(rows));
    for (size_t i = 0; i < places.size(); ++i) {
        for (uint32_t place = 0; place < rows; ++place) {
            places[i][data.orders[i][place]] = place;
        }
    }
    for (uint32_t row = 0; row < rows; ++row) {
        model::MetadataWriter writer;
        writer.begin_object();
        writer.key("p");
        writer.put_int(places[0][row]);
        for (uint32_t anchor = 0; anchor < kAnchors; ++anchor) {
            writer.key(field_of(1 + anchor));
            writer.put_int(places[1 + anchor][row]);
        }
        writer.end();
        const std::string metadata = std::move(writer).finish().value();
        data.generation->rows.append(
            {base.row(row), 1, model::DocumentId(row).encoded(), metadata, engine::kNoRow});
    }
}

void link(FilterData& data, const std::string& file, uint32_t rows) {
    std::ifstream saved(file, std::ios::binary);
    if (!file.empty() && saved) {
        const std::string lists{std::istreambuf_iterator<char>(saved), {}};
        if (!data.generation->first().graph.import_lists({lists, {}}, rows)) {
            fail(file + " is not the graph of these rows");
        }
        return;
    }
    index::SearchScratch scratch;
    data.generation->first().graph.link(
        rows, [] { return false; }, scratch);
    if (!file.empty()) {
        std::string lists;
        data.generation->first().graph.export_lists(0, rows, lists);
        std::ofstream(file, std::ios::binary) << lists;
    }
}

void index_metadata(FilterData& data, uint32_t rows) {
    std::vector<model::MetadataField> fields{{"p", model::MetadataIndexType::kInteger}};
    for (uint32_t anchor = 0; anchor < kAnchors; ++anchor) {
        fields.push_back({field_of(1 + anchor), model::MetadataIndexType::kInteger});
    }
    data.generation->metadata.declare(fields);
    const auto start = Clock::now();
    while (data.generation->metadata.is_behind(rows)) {
        data.generation->metadata.advance(rows,
                                          [&](uint32_t row) { return data.generation->rows.metadata(row); });
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    uint64_t bytes = 0;
    const auto indexes = data.generation->metadata.view();
    for (const auto& field : indexes->fields) {
        bytes += field->bytes;
    }
    std::printf("%zu metadata indexes: %.0f ns and %.1f bytes a row and field\n", fields.size(),
                seconds * 1e9 / rows / static_cast<double>(fields.size()),
                static_cast<double>(bytes) / rows / static_cast<double>(fields.size()));
}

// The queries nearest to each anchor, those farthest from it, and as many that nobody chose.
void choose_queries(FilterData& data, const VectorFile& queries, uint32_t of_anchor) {
    const index::Rows& rows = data.generation->rows.rows();
    const auto count = static_cast<uint32_t>(queries.rows());
    if (count < 2 * of_anchor * kAnchors) {
        fail("too few queries");
    }
    for (uint32_t anchor = 0; anchor < kAnchors; ++anchor) {
        const uint32_t row = data.orders[1 + anchor].front();
        std::vector<float> distances(count);
        std::vector<float> query(rows.query_size());
        for (uint32_t i = 0; i < count; ++i) {
            index::encode_query(rows.metric(), queries.row(i), query);
            distances[i] = rows.distance(query.data(), row);
        }
        const Order order = order_by(distances);
        for (uint32_t i = 0; i < of_anchor; ++i) {
            data.queries[0].push_back({.vector = anchor * of_anchor + i, .order = 0});
            data.queries[1].push_back({.vector = order[i], .order = 1 + anchor});
            data.queries[2].push_back({.vector = order[count - 1 - i], .order = 1 + anchor});
        }
    }
    for (std::vector<FilterQuery>& chosen : data.queries) {
        for (FilterQuery& query : chosen) {
            answer_exactly(data, queries, query);
        }
    }
}

}  // namespace

void fail(const std::string& message) {
    std::fprintf(stderr, "filter_bench: %s\n", message.c_str());
    std::exit(2);
}

uint32_t matches_of(double share, uint32_t rows) {
    return std::max(1u, static_cast<uint32_t>(share * rows));
}

std::string field_of(uint32_t order) {
    return order == 0 ? "p" : "a" + std::to_string(order - 1);
}

FilterData make_filter_data(const VectorFile& base, const VectorFile& queries,
                            const FilterDataOptions& options) {
    const uint32_t rows = options.rows;
    FilterData data;
    data.generation = std::make_shared<Generation>(
        std::vector<model::VectorSpec>{
            {.dimension = static_cast<uint32_t>(base.dimension()), .metric = options.metric}},
        index::GraphOptions{}, 1);
    append_rows(data, base, rows);
    data.snapshot = {data.generation, 1, rows, rows};
    link(data, options.graph, rows);
    index::SearchScratch scratch;
    data.generation->first().walks.measure(data.generation->rows.rows(), data.generation->first().graph,
                                           scratch);
    if (options.has_indexes) {
        index_metadata(data, rows);
    }
    choose_queries(data, queries, std::max(1u, options.queries / kAnchors));
    return data;
}

}  // namespace akidb::bench
