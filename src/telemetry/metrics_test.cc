#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <thread>
#include <vector>

#include "telemetry/label_text.h"

namespace akidb::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

// Asks every metric for one series, so that all of them are exported.
void touch_all(Metrics& metrics) {
    for (const MetricRow& row : metric_table()) {
        const size_t count = split_labels(row.labels).size();
        auto touch = [&](std::initializer_list<std::string_view> values) {
            switch (row.type) {
                case MetricType::kCounter:
                    metrics.counter(row.id, values).add(3);
                    break;
                case MetricType::kGauge:
                    metrics.gauge(row.id, values).set(7);
                    break;
                case MetricType::kHistogram:
                    metrics.histogram(row.id, values).observe(0.3);
                    break;
            }
        };
        count == 0   ? touch({})
        : count == 1 ? touch({"a"})
        : count == 2 ? touch({"a", "b"})
                     : touch({"a", "b", "c"});
    }
}

TEST(MetricTable, FollowsThePrometheusNamingConventions) {
    std::set<std::string_view> names;
    for (const MetricRow& row : metric_table()) {
        const std::string name(row.name);
        EXPECT_TRUE(names.insert(row.name).second) << name << " is declared twice";
        EXPECT_TRUE(std::regex_match(name, std::regex("(akidb|process)_[a-z][a-z0-9_]*"))) << name;
        EXPECT_EQ(row.type == MetricType::kCounter, row.name.ends_with("_total")) << name;
        EXPECT_EQ(row.name.find("milli"), std::string_view::npos) << name << ": base units only";
        EXPECT_TRUE(row.help.ends_with(".")) << name << ": the help is a sentence";
        EXPECT_EQ(row.help.find('|'), std::string_view::npos)
            << name << ": would break the table in the docs";
        for (const std::string& label : split_labels(row.labels)) {
            EXPECT_TRUE(std::regex_match(label, std::regex("[a-z]+"))) << name << ": label " << label;
            EXPECT_NE(label, "le") << name << ": belongs to histograms";
        }
    }
}

TEST(Metrics, ExportsSeriesWithoutLabelsAsZeroFromTheStart) {
    const std::string text = Metrics().expose();
    for (const MetricRow& row : metric_table()) {
        if (row.labels.empty()) {
            const bool is_histogram = row.type == MetricType::kHistogram;
            EXPECT_THAT(text,
                        HasSubstr("\n" + std::string(row.name) + (is_histogram ? "_count 0\n" : " 0\n")));
        }
    }
}

TEST(Metrics, ExportsEveryMetricOfTheTable) {
    Metrics metrics;
    touch_all(metrics);
    const std::string text = metrics.expose();
    for (const MetricRow& row : metric_table()) {
        EXPECT_THAT(text, HasSubstr("# HELP " + std::string(row.name) + " " + std::string(row.help) + "\n"));
    }
    EXPECT_THAT(
        text,
        HasSubstr("akidb_http_request_duration_seconds_count{code=\"c\",method=\"a\",route=\"b\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("akidb_search_duration_seconds_bucket{kind=\"a\",le=\"0.25\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("akidb_search_duration_seconds_bucket{kind=\"a\",le=\"0.5\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("akidb_http_refused_total{reason=\"a\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("akidb_build_info{version=\"a\"} 7\n"));
}

TEST(Metrics, GivesTheSameSeriesForTheSameLabels) {
    Metrics metrics;
    EXPECT_EQ(&metrics.counter(MetricId::kHttpRefused, {"full"}),
              &metrics.counter(MetricId::kHttpRefused, {"full"}));
    EXPECT_NE(&metrics.counter(MetricId::kHttpRefused, {"full"}),
              &metrics.counter(MetricId::kHttpRefused, {"rate"}));
    EXPECT_NE(&metrics.histogram(MetricId::kHttpRequestDuration, {"ab", "c", ""}),
              &metrics.histogram(MetricId::kHttpRequestDuration, {"a", "bc", ""}));
}

TEST(Metrics, RemovesASeries) {
    Metrics metrics;
    metrics.gauge(MetricId::kHeadRows, {"words"}).set(5);
    metrics.gauge(MetricId::kHeadRows, {"news"}).set(6);
    metrics.remove(MetricId::kHeadRows, {"words"});
    metrics.remove(MetricId::kHeadRows, {"never seen"});
    EXPECT_THAT(metrics.expose(), Not(HasSubstr("\"words\"")));
    EXPECT_THAT(metrics.expose(), HasSubstr("akidb_head_rows{collection=\"news\"} 6\n"));
    metrics.gauge(MetricId::kHeadRows, {"words"});
    EXPECT_THAT(metrics.expose(), HasSubstr("akidb_head_rows{collection=\"words\"} 0\n"));
}

TEST(Metrics, RemovingOneOfTwoThatReadTheSameKeepsTheOther) {
    Metrics metrics;
    metrics.gauge(MetricId::kHeadRows, {"\xfe"}).set(1);
    Gauge& other = metrics.gauge(MetricId::kHeadRows, {"\xff"});
    metrics.remove(MetricId::kHeadRows, {"\xfe"});
    other.set(2);
    EXPECT_THAT(metrics.expose(), HasSubstr("akidb_head_rows{collection=\"?\"} 2\n"));
}

TEST(Metrics, EscapesWeirdLabelValues) {
    Metrics metrics;
    metrics.counter(MetricId::kHttpRefused, {"a\"} 1\nakidb_evil 1\n\\\xff"}).add();
    const std::string text = metrics.expose();
    EXPECT_THAT(text, HasSubstr(R"(akidb_http_refused_total{reason="a\"} 1\nakidb_evil 1\n\\?"} 1)"));
    EXPECT_THAT(text, Not(HasSubstr("\nakidb_evil")));
}

TEST(Metrics, IgnoresValuesThatWouldSpoilASeriesForEver) {
    Metrics metrics;
    metrics.counter(MetricId::kSearchDistances).add(std::nan(""));
    metrics.counter(MetricId::kSearchDistances).add(-1);
    metrics.counter(MetricId::kSearchDistances).add(2);
    metrics.histogram(MetricId::kLogSyncDuration).observe(std::nan(""));
    EXPECT_THAT(metrics.expose(), HasSubstr("\nakidb_search_distances_total 2\n"));
    EXPECT_THAT(metrics.expose(), HasSubstr("\nakidb_wal_sync_duration_seconds_count 0\n"));
}

TEST(Metrics, SumsLabelSetsBeyondTheLimitAsOther) {
    Metrics metrics;
    for (int i = 0; i < 1000; ++i) {
        metrics.counter(MetricId::kAuthDenied, {std::to_string(i)}).add();
        metrics.gauge(MetricId::kHeadRows, {std::to_string(i)}).set(i);
    }
    const std::string text = metrics.expose();
    EXPECT_THAT(text, HasSubstr("akidb_auth_denied_total{action=\"other\"} 800\n"));
    EXPECT_THAT(text, HasSubstr("akidb_head_rows{collection=\"199\"} 199\n"));
    EXPECT_THAT(text, Not(HasSubstr("akidb_head_rows{collection=\"other\"}")));
    EXPECT_THAT(text, Not(HasSubstr("\"500\"")));
}

TEST(Metrics, CountsFromManyThreads) {
    Metrics metrics;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            for (int n = 0; n < 1000; ++n) {
                metrics.counter(MetricId::kHttpRefused, {n % 2 == 0 ? "even" : "odd"}).add();
                metrics.gauge(MetricId::kHeadRows, {std::to_string(i)}).set(n);
                metrics.remove(MetricId::kHeadRows, {std::to_string(i)});
                if (n % 100 == 0) {
                    EXPECT_FALSE(metrics.expose().empty());
                }
            }
        });
    }
    threads.clear();
    EXPECT_THAT(metrics.expose(), HasSubstr("akidb_http_refused_total{reason=\"even\"} 2000\n"));
}

TEST(Metrics, PleasesPromtool) {
    if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
        GTEST_SKIP() << "promtool is not installed";
    }
    Metrics metrics;
    touch_all(metrics);
    FILE* promtool = popen("promtool check metrics", "w");
    ASSERT_NE(promtool, nullptr);
    const std::string text = metrics.expose();
    fwrite(text.data(), 1, text.size(), promtool);
    EXPECT_EQ(pclose(promtool), 0);
}

TEST(MetricsMarkdown, IsThePageInTheDocs) {
    const std::string path = AKIDB_SOURCE_DIR "/docs/generated/metrics.md";
    if (std::getenv("AKIDB_UPDATE_DOCS") != nullptr) {
        std::ofstream(path) << generate_metrics_markdown();
    }
    std::ifstream file(path);
    const std::string page{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    EXPECT_EQ(page, generate_metrics_markdown())
        << "run AKIDB_UPDATE_DOCS=1 telemetry_test to write " << path;
}

}  // namespace
}  // namespace akidb::telemetry
