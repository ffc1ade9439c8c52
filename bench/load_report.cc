#include "bench/load_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

namespace akidb::bench {
namespace {

using Json = nlohmann::json;

constexpr double kWidth = 640;
constexpr double kHeight = 360;
constexpr double kMargin = 56;

/// Where a value lies between two powers of ten, 0 to 1.
struct LogAxis {
    double least = 1;
    double most = 10;
    double place(double value) const {
        return (std::log10(std::max(value, least)) - std::log10(least)) /
               (std::log10(most) - std::log10(least));
    }
};

struct Line {
    std::string name;
    std::string colour;
    std::vector<std::pair<double, double>> points;
};

double across(const LogAxis& axis, double value) {
    return kMargin + axis.place(value) * (kWidth - 2 * kMargin);
}
double down(const LogAxis& axis, double value) {
    return kHeight - kMargin - axis.place(value) * (kHeight - 2 * kMargin);
}

std::string svg_line(const Line& line, const LogAxis& rates, const LogAxis& times, size_t number) {
    std::string points;
    std::string marks;
    for (const auto& [rate, time] : line.points) {
        const double x = across(rates, rate);
        const double y = down(times, time);
        points += fmt::format("{:.1f},{:.1f} ", x, y);
        marks += fmt::format(
            "<circle cx='{:.1f}' cy='{:.1f}' r='3' fill='{}'><title>{}: {:.0f}/s, {:.3f} "
            "ms</title></circle>\n",
            x, y, line.colour, line.name, rate, time);
    }
    const double legend = kMargin + 16 * static_cast<double>(number);
    return fmt::format("<polyline points='{}' fill='none' stroke='{}' stroke-width='2'/>\n{}", points,
                       line.colour, marks) +
           fmt::format("<text x='{}' y='{}' fill='{}'>{}</text>\n", kMargin + 8, legend, line.colour,
                       line.name);
}

std::string svg_grid(const LogAxis& rates, const LogAxis& times, const std::set<double>& shown) {
    std::string text;
    for (double time = times.least; time <= times.most * 1.001; time *= 10) {
        const double y = down(times, time);
        text +=
            fmt::format("<line x1='{0}' y1='{1:.1f}' x2='{2}' y2='{1:.1f}' stroke='#ddd'/>", kMargin, y,
                        kWidth - kMargin) +
            fmt::format("<text x='{}' y='{:.1f}' text-anchor='end'>{:g}</text>\n", kMargin - 6, y + 4, time);
    }
    for (const double rate : shown) {
        text += fmt::format("<text x='{:.1f}' y='{}' text-anchor='middle'>{:g}</text>\n", across(rates, rate),
                            kHeight - kMargin + 18, rate);
    }
    return text;
}

Json json_of(const Percentiles& found) {
    return {{"p50_ms", found.p50_ms},
            {"p95_ms", found.p95_ms},
            {"p99_ms", found.p99_ms},
            {"max_ms", found.max_ms}};
}

std::string three(const Percentiles& found) {
    return fmt::format("{:.2f} / {:.2f} / {:.2f}", found.p50_ms, found.p95_ms, found.p99_ms);
}

std::string rung_line(const Rung& rung) {
    const std::string rate =
        rung.rate > 0 ? fmt::format("{:g}/s", rung.rate) : fmt::format("closed loop: {:.0f}/s", rung.served);
    return fmt::format("| {} | {} | {} | {} | {} | {:.2f} | {:.4f} | {} | {:.2f} |\n", rung.data,
                       rung.protocol, rate, rung.requests, three(rung.akidb), rung.echo.p95_ms, rung.recall,
                       rung.errors, rung.client_cores);
}

std::string scenario_line(const ScenarioResult& result) {
    const bool is_in_time = result.searches.p95_ms <= result.p95_ms_max;
    return fmt::format(
        "| {} | {} | {} | {} | {} | {} | {:.4f} | {} + {} | {:g} ms {}, {:g} % {} | {:.0f} | {} |\n",
        result.name, result.data, result.load, result.requests, three(result.searches), three(result.writes),
        result.recall, result.errors, result.cut, result.p95_ms_max, is_in_time ? "met" : "MISSED",
        result.error_share_max * 100, result.holds_errors() ? "met" : "MISSED", result.resident_mib,
        result.note);
}

}  // namespace

Percentiles percentiles_of(std::vector<uint32_t> latency_us) {
    std::sort(latency_us.begin(), latency_us.end());
    const auto at = [&](double share) {
        if (latency_us.empty()) {
            return 0.0;
        }
        const auto index = static_cast<size_t>(share * static_cast<double>(latency_us.size()));
        return latency_us[std::min(index, latency_us.size() - 1)] / 1000.0;
    };
    return {at(0.50), at(0.95), at(0.99), at(1)};
}

bool ScenarioResult::holds_errors() const {
    return static_cast<double>(errors + cut) <= error_share_max * static_cast<double>(requests);
}

uint64_t LoadReport::requests() const {
    uint64_t total = 0;
    for (const Rung& rung : rungs) {
        total += rung.requests;
    }
    for (const ScenarioResult& result : scenarios) {
        total += result.requests;
    }
    return total;
}

uint64_t LoadReport::errors() const {
    uint64_t total = 0;
    for (const Rung& rung : rungs) {
        total += rung.errors;
    }
    for (const ScenarioResult& result : scenarios) {
        total += result.takes_server_away ? 0 : result.errors + result.cut;
    }
    return total;
}

std::string LoadReport::markdown() const {
    std::string text = "# Load, measured\n\n";
    for (const auto& [name, value] : setting) {
        text += fmt::format("- **{}**: {}\n", name, value);
    }
    text += fmt::format(
        "\n{} requests, {} errors. Open loop: each latency counts from the moment the request was due. P50 / "
        "P95 / "
        "P99 in milliseconds.\n\n## Searches by rate\n\n"
        "| data | protocol | asked for | requests | AkiDB | echo P95 | recall@10 | errors | client cores |\n"
        "|---|---|---|---|---|---|---|---|---|\n",
        requests(), errors());
    for (const Rung& rung : rungs) {
        text += rung_line(rung);
    }
    if (!scenarios.empty()) {
        text +=
            "\n## Scenarios\n\n| scenario | data | load | requests | searches | writes | recall@10 | errors "
            "+ cut | "
            "limits | MiB resident | |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
    }
    for (const ScenarioResult& result : scenarios) {
        text += scenario_line(result);
    }
    if (!drills.empty()) {
        text += "\n## Drills\n\n| drill | | found |\n|---|---|---|\n";
    }
    for (const Drill& drill : drills) {
        text +=
            fmt::format("| {} | {} | {} |\n", drill.name, drill.is_passed ? "passed" : "FAILED", drill.found);
    }
    return text;
}

Json LoadReport::json() const {
    Json out{{"requests", requests()}, {"errors", errors()},         {"setting", Json::object()},
             {"rungs", Json::array()}, {"scenarios", Json::array()}, {"drills", Json::array()}};
    for (const auto& [name, value] : setting) {
        out["setting"][name] = value;
    }
    for (const Rung& rung : rungs) {
        out["rungs"].push_back({{"data", rung.data},
                                {"protocol", rung.protocol},
                                {"rate", rung.rate},
                                {"served_per_s", rung.served},
                                {"requests", rung.requests},
                                {"errors", rung.errors},
                                {"recall", rung.recall},
                                {"client_cores", rung.client_cores},
                                {"akidb", json_of(rung.akidb)},
                                {"echo", json_of(rung.echo)}});
    }
    for (const ScenarioResult& one : scenarios) {
        out["scenarios"].push_back({{"name", one.name},
                                    {"data", one.data},
                                    {"load", one.load},
                                    {"requests", one.requests},
                                    {"errors", one.errors},
                                    {"cut", one.cut},
                                    {"searches", json_of(one.searches)},
                                    {"writes", json_of(one.writes)},
                                    {"recall", one.recall},
                                    {"judged", one.judged},
                                    {"resident_mib", one.resident_mib},
                                    {"p95_ms_max", one.p95_ms_max},
                                    {"holds_errors", one.holds_errors()},
                                    {"note", one.note}});
    }
    for (const Drill& drill : drills) {
        out["drills"].push_back({{"name", drill.name}, {"passed", drill.is_passed}, {"found", drill.found}});
    }
    return out;
}

std::string LoadReport::plot(const std::string& data) const {
    Line served{.name = "AkiDB P95", .colour = "#1f6feb", .points = {}};
    Line median{.name = "AkiDB P50", .colour = "#8ab4f8", .points = {}};
    Line echo{.name = "bare echo P95", .colour = "#888", .points = {}};
    std::set<double> shown;
    for (const Rung& rung : rungs) {
        if (rung.data == data && rung.rate > 0 && rung.protocol == "REST") {
            served.points.emplace_back(rung.rate, rung.akidb.p95_ms);
            median.points.emplace_back(rung.rate, rung.akidb.p50_ms);
            echo.points.emplace_back(rung.rate, rung.echo.p95_ms);
            shown.insert(rung.rate);
        }
    }
    const LogAxis rates{.least = shown.empty() ? 1 : *shown.begin(),
                        .most = shown.empty() ? 10 : *shown.rbegin() * 1.01};
    double most = 1;
    for (const Line* line : {&served, &median, &echo}) {
        for (const auto& point : line->points) {
            most = std::max(most, point.second);
        }
    }
    const LogAxis times{.least = 0.01, .most = std::pow(10, std::ceil(std::log10(most)))};
    std::string text = fmt::format(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' font-family='sans-serif' "
        "font-size='12'>\n"
        "<rect width='100%' height='100%' fill='#fff'/>\n"
        "<text x='{}' y='24' font-size='14'>{}: milliseconds by searches a second</text>\n",
        kWidth, kHeight, kMargin, data);
    text += svg_grid(rates, times, shown);
    size_t number = 0;
    for (const Line* line : {&served, &median, &echo}) {
        text += svg_line(*line, rates, times, number++);
    }
    return text + "</svg>\n";
}

void LoadReport::write(const std::string& directory) const {
    std::filesystem::create_directories(directory);
    const auto put = [&](const std::string& name, const std::string& text) {
        std::ofstream file(directory + "/" + name);
        file << text;
        file.flush();
        if (!file) {
            throw std::runtime_error("writing " + directory + "/" + name + " failed");
        }
    };
    std::string text = markdown();
    std::set<std::string> sets;
    for (const Rung& rung : rungs) {
        sets.insert(rung.data);
    }
    size_t number = 0;
    for (const std::string& data : sets) {
        const std::string name = fmt::format("latency-{}.svg", ++number);
        put(name, plot(data));
        text += fmt::format("\n![{}]({})\n", data, name);
    }
    put("report.md", text);
    put("report.json", json().dump(2) + "\n");
}

}  // namespace akidb::bench
