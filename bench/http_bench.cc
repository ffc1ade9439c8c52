// http_bench: measures a running server over its REST API on real sockets: recall against exact search
// computed here, latency under an open-loop load, the highest rate that keeps a latency bound, and word
// neighbours for the eye. Prints for people, and with --json FILE for programs. bench/README.md says how to
// compare honestly. Exit codes: 0, 64 usage, 70 when the server's answer or a file is not what it should be.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "bench/bench_main.h"
#include "bench/brute_force.h"
#include "bench/open_loop.h"
#include "bench/rest_collection.h"

namespace akidb::bench {
namespace {

using Json = nlohmann::json;

struct Options {
    std::string url = "http://127.0.0.1:8080";
    std::string collection = "words";
    std::string queries;
    std::string base;
    std::string words;
    std::vector<std::string> word;
    std::string json;
    SearchOptions search;
    bool exact_server = false;
    size_t threads = 2;
    LoadPlan load;
    double p95_ms = 5;
};

struct RecallSum {
    double mean = 0;
    double least = 1;
    size_t below_half = 0;  // queries that found less than half of their neighbours
};

RecallSum summarise(const std::vector<double>& recalls) {
    RecallSum sum;
    for (double recall : recalls) {
        sum.mean += recall / static_cast<double>(recalls.size());
        sum.least = std::min(sum.least, recall);
        sum.below_half += recall < 0.5 ? 1 : 0;
    }
    return sum;
}

/// The server's answers to every query, as rows with similarities computed here: the server's scores are not
/// trusted.
std::vector<std::vector<Neighbour>> ask_server(const Options& options, const SearchOptions& search,
                                               Metric metric, const VectorFile& base,
                                               const VectorFile& queries) {
    std::vector<std::vector<Neighbour>> answers(queries.rows());
    std::atomic<size_t> next{0};
    std::mutex mutex;
    std::string fault;
    auto work = [&] {
        try {
            RestCollection collection(options.url, options.collection);
            for (size_t query = 0; (query = next.fetch_add(1)) < queries.rows();) {
                for (const Found& found : collection.search(search_body(queries.row(query), search))) {
                    if (found.id >= base.rows()) {
                        throw std::runtime_error("the server returned id " + std::to_string(found.id) +
                                                 ", which is not a row of the base file");
                    }
                    float near = similarity(metric, queries.row(query), base.row(found.id));
                    answers[query].push_back({near, static_cast<uint32_t>(found.id)});
                }
            }
        } catch (const std::exception& error) {
            std::lock_guard<std::mutex> lock(mutex);
            fault = error.what();
            next = queries.rows();
        }
    };
    std::vector<std::thread> threads;
    for (size_t index = 0; index < options.threads; ++index) {
        threads.emplace_back(work);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    if (!fault.empty()) {
        throw std::runtime_error(fault);
    }
    return answers;
}

std::vector<double> recalls_of(const std::vector<std::vector<Neighbour>>& truth,
                               const std::vector<std::vector<Neighbour>>& answers) {
    std::vector<double> recalls;
    for (size_t query = 0; query < truth.size(); ++query) {
        recalls.push_back(recall_of(truth[query], answers[query]));
    }
    return recalls;
}

Json run_recall(const Options& options) {
    VectorFile base(options.base);
    VectorFile queries(options.queries);
    if (queries.rows() == 0 || base.rows() == 0 || queries.dimension() != base.dimension()) {
        throw std::runtime_error("the two files must have rows of one dimension");
    }
    CollectionFacts facts = RestCollection(options.url, options.collection).facts();
    Metric metric = metric_from(facts.metric);
    size_t k = options.search.k;
    // The server first: what is measured is its state now, and brute force takes its time.
    auto answers = ask_server(options, options.search, metric, base, queries);
    std::vector<std::vector<Neighbour>> exact_answers;
    if (options.exact_server) {
        SearchOptions exact = options.search;
        exact.exact = true;
        exact_answers = ask_server(options, exact, metric, base, queries);
    }
    auto truth = exact_neighbours(metric, base, queries, k);
    RecallSum found = summarise(recalls_of(truth, answers));
    std::printf(
        "recall@%zu  mean %.4f  least %.2f  queries below half %zu   (%zu queries, %llu documents, %llu "
        "linked, "
        "%llu in the head)\n",
        k, found.mean, found.least, found.below_half, queries.rows(),
        static_cast<unsigned long long>(facts.count), static_cast<unsigned long long>(facts.linked_rows),
        static_cast<unsigned long long>(facts.head_rows));
    Json out{{"k", k},
             {"recall", found.mean},
             {"recall_least", found.least},
             {"queries", queries.rows()},
             {"documents", facts.count},
             {"linked_rows", facts.linked_rows},
             {"head_rows", facts.head_rows}};
    if (options.exact_server) {
        RecallSum exact = summarise(recalls_of(truth, exact_answers));
        std::printf("the server's own exact search against brute force here: mean %.4f  least %.2f\n",
                    exact.mean, exact.least);
        out["exact_agreement"] = exact.mean;
    }
    return out;
}

LoadPlan plan_of(const Options& options) {
    LoadPlan plan = options.load;
    plan.endpoint = support::parse_url(options.url);
    plan.path = RestCollection(options.url, options.collection).search_path();
    VectorFile queries(options.queries);
    for (size_t row = 0; row < queries.rows(); ++row) {
        plan.bodies.push_back(search_body(queries.row(row), options.search));
    }
    return plan;
}

Json print_load(const LoadResult& result) {
    std::printf(
        "%8.0f/s asked %8.1f/s answered  %7llu sent %4llu errors   P50 %7.2f  P95 %7.2f  P99 %7.2f  max "
        "%8.2f ms\n",
        result.rate, result.achieved(), static_cast<unsigned long long>(result.sent),
        static_cast<unsigned long long>(result.errors), result.p50_ms, result.p95_ms, result.p99_ms,
        result.max_ms);
    std::fflush(stdout);
    return {{"rate", result.rate},     {"achieved", result.achieved()}, {"sent", result.sent},
            {"errors", result.errors}, {"p50_ms", result.p50_ms},       {"p95_ms", result.p95_ms},
            {"p99_ms", result.p99_ms}, {"max_ms", result.max_ms}};
}

/// Doubles the rate until a step breaks the bound, then halves the gap until it is 5 %.
Json run_max_rate(const Options& options) {
    LoadPlan plan = plan_of(options);
    double kept = 0;
    double broken = 0;
    Json best;
    while (broken == 0 || broken - kept > 0.05 * broken) {
        LoadResult result = run_load(plan);
        Json printed = print_load(result);
        bool keeps =
            result.errors == 0 && result.p95_ms <= options.p95_ms && result.achieved() >= 0.98 * plan.rate;
        (keeps ? kept : broken) = plan.rate;
        if (keeps) {
            best = printed;
        }
        plan.rate = broken == 0 ? kept * 2 : (kept + broken) / 2;
        if (plan.rate < 1) {
            break;
        }
    }
    std::printf("highest rate with P95 <= %g ms: %.0f searches a second\n", options.p95_ms, kept);
    return {{"p95_limit_ms", options.p95_ms}, {"max_rate", kept}, {"step", best}};
}

/// The row of each wanted word: its line number in the metadata file, whose lines have a field "word".
std::vector<uint64_t> rows_of_words(const Options& options) {
    std::vector<uint64_t> rows(options.word.size(), UINT64_MAX);
    std::ifstream file(options.words);
    std::string line;
    for (uint64_t row = 0; std::getline(file, line); ++row) {
        for (size_t index = 0; index < options.word.size(); ++index) {
            std::string quoted = "\"" + options.word[index] + "\"";
            if (line.find(quoted) != std::string::npos &&
                Json::parse(line).value("word", "") == options.word[index]) {
                rows[index] = row;
            }
        }
    }
    return rows;
}

Json run_neighbours(const Options& options) {
    RestCollection collection(options.url, options.collection);
    std::vector<uint64_t> rows = rows_of_words(options);
    Json out = Json::object();
    for (size_t index = 0; index < options.word.size(); ++index) {
        const std::string& word = options.word[index];
        if (rows[index] == UINT64_MAX) {
            std::printf("%-12s is not in %s\n", word.c_str(), options.words.c_str());
            continue;
        }
        SearchOptions search = options.search;
        search.k += 1;  // the word itself comes first
        std::string body = search_body(collection.vector_of(rows[index]), search, true);
        std::printf("%-12s", word.c_str());
        for (const Found& found : collection.search(body)) {
            if (found.id == rows[index]) {
                continue;
            }
            std::string near = Json::parse(found.metadata).value("word", "?");
            std::printf("  %s %.3f", near.c_str(), found.score);
            out[word].push_back({{"word", near}, {"score", found.score}});
        }
        std::printf("\n");
    }
    return out;
}

void add_common(CLI::App& verb, Options& options) {
    verb.add_option("--url", options.url, "the server")->capture_default_str();
    verb.add_option("--collection", options.collection, "its collection")->capture_default_str();
    verb.add_option("--k", options.search.k, "neighbours asked for")->capture_default_str();
    verb.add_option("--ef", options.search.ef, "params.ef; 0 = the server's default")->capture_default_str();
    verb.add_option("--json", options.json, "also write the figures to this file");
}

void add_load(CLI::App& verb, Options& options) {
    verb.add_option("--queries", options.queries, ".fbin of query vectors, sent in turn")->required();
    verb.add_option("--rate", options.load.rate, "searches a second (max-rate: to begin with)")
        ->capture_default_str();
    verb.add_option("--seconds", options.load.seconds, "length (max-rate: of each step)")
        ->capture_default_str();
    verb.add_option("--connections", options.load.connections, "kept connections")->capture_default_str();
    verb.add_flag("--poisson", options.load.poisson,
                  "random gaps, as of independent users, instead of equal ones");
}

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"Measures a running AkiDB over REST."};
    app.require_subcommand(1);
    CLI::App& recall = *app.add_subcommand("recall", "recall@k against brute force computed here");
    add_common(recall, options);
    recall.add_option("--queries", options.queries, ".fbin of query vectors")->required();
    recall.add_option("--base", options.base, ".fbin whose row numbers are the document ids")->required();
    recall.add_option("--threads", options.threads, "connections that ask")->capture_default_str();
    recall.add_flag("--exact-server", options.exact_server, "also check the server's params.exact");
    CLI::App& load = *app.add_subcommand("load", "latency under an open-loop load");
    add_common(load, options);
    add_load(load, options);
    CLI::App& max_rate = *app.add_subcommand("max-rate", "the highest rate whose P95 stays in bounds");
    add_common(max_rate, options);
    add_load(max_rate, options);
    max_rate.add_option("--p95-ms", options.p95_ms, "the bound")->capture_default_str();
    CLI::App& neighbours = *app.add_subcommand("neighbours", "nearest words, for the eye");
    add_common(neighbours, options);
    neighbours.add_option("--word", options.word, "word to look up; may be given often")->required();
    neighbours.add_option("--words", options.words, ".jsonl with a field \"word\", by row")->required();
    return bench_main(app, "http_bench", argc, argv, [&] {
        Json out = recall.parsed()     ? run_recall(options)
                   : load.parsed()     ? print_load(run_load(plan_of(options)))
                   : max_rate.parsed() ? run_max_rate(options)
                                       : run_neighbours(options);
        if (!options.json.empty()) {
            std::ofstream(options.json) << out.dump(2) << "\n";
        }
    });
}

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    return akidb::bench::run(argc, argv);
}
