#include "server/serve.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "io/clock.h"
#include "io/http_client.h"
#include "io/posix_file_system.h"
#include "server/drain.h"
#include "server/load_settings.h"
#include "server/log_lines.h"
#include "server/process_facts.h"
#include "server/settings_table.h"
#include "server/signals.h"
#include "server/startup_checks.h"
#include "server/supervisor.h"
#include "server/wiring.h"

namespace akidb::server {
namespace {

using settings::Effective;
using settings::Finding;

constexpr uint32_t kTickMs = 250;
constexpr uint32_t kStartTickMs = 20;  // until it is ready

void print(FILE* stream, const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fflush(stream);
}

ExitCode report(const std::vector<Finding>& findings) {
    std::string text = "akidb: the configuration cannot be used:\n";
    for (const Finding& finding : findings) {
        text.append("  ").append(settings::describe(finding)).append("\n");
    }
    print(stderr, text);
    return ExitCode::kConfiguration;
}

// A refused value stands at its default, and a fault of that default would only mislead.
void add_environment_findings(settings::Parsed& parsed) {
    const size_t before = parsed.findings.size();
    for (Finding& finding : check_environment(parsed.effective)) {
        const auto end = parsed.findings.begin() + static_cast<std::ptrdiff_t>(before);
        const bool is_known = std::any_of(parsed.findings.begin(), end,
                                          [&](const Finding& known) { return known.key == finding.key; });
        if (!is_known) {
            parsed.findings.push_back(std::move(finding));
        }
    }
}

ExitCode exit_code_of(const Error& error) {
    if (error.code() == Code::kConflict && error.field() == "storage.data_dir") {
        return ExitCode::kLockHeld;
    }
    if (error.code() == Code::kConflict && error.field() == "port") {
        return ExitCode::kConfiguration;
    }
    switch (error.code()) {
        case Code::kDataLoss:
        case Code::kDiskFull:
        case Code::kUnavailable:
        case Code::kNotFound:
        case Code::kAlreadyExists:
        case Code::kConflict:  // the files of a newer version, or of another program
            return ExitCode::kIo;
        default:
            return ExitCode::kInternal;
    }
}

ExitCode fail(const Error& error) {
    print(stderr, "akidb: cannot start: " + error.message() + "\n");
    return exit_code_of(error);
}

// Applies what may change while running and tells what needs a restart.
void reload(const SettingsSources& sources, Effective& effective, AdjustableLogger& logger) {
    settings::Parsed again = load_settings(sources);
    if (!again.findings.empty()) {
        for (const Finding& finding : again.findings) {
            logger.log(LogLevel::kError, "settings were not read again",
                       {{"finding", settings::describe(finding)}});
        }
        return;
    }
    for (const Setting& row : kSettings) {
        const std::string& text = again.effective.text(row.key);
        if (text == effective.text(row.key)) {
            continue;
        }
        if (row.reload == Reload::kLive) {
            effective.values.insert_or_assign(std::string(row.key),
                                              again.effective.values.find(row.key)->second);
            logger.log(LogLevel::kWarning, "setting applied",
                       {{"key", std::string(row.key)}, {"value", text}});
        } else {
            logger.log(LogLevel::kWarning, "setting needs a restart", {{"key", std::string(row.key)}});
        }
    }
    logger.set_level(log_level_from(effective.text("logging.level")));
}

struct Stop {
    ExitCode planned = ExitCode::kClean;
    bool is_interactive = false;  // somebody waits at the terminal: no load balancer to tell
};

Stop run_until_stopped(Server& server, const StopSignals& signals, const SettingsSources& sources,
                       Effective& effective, AdjustableLogger& logger, Supervisor& supervisor) {
    const bool has_terminal = isatty(STDIN_FILENO) == 1;
    bool is_told = false;
    while (true) {
        const std::optional<int> signal = signals.wait(is_told ? kTickMs : kStartTickMs);
        if (signal == SIGHUP && !has_terminal) {
            supervisor.begin_reload();
            reload(sources, effective, logger);
            server.apply(effective);
            server.read_certificates_again();
            supervisor.end_reload();
        } else if (signal) {
            logger.log(LogLevel::kInfo, "draining", {{"signal", std::to_string(*signal)}});
            return {ExitCode::kClean, has_terminal && *signal != SIGTERM};
        }
        if (server.tick() == Health::kLogPoisoned) {
            logger.log(LogLevel::kError,
                       "a log could not be made durable: draining, no write is acknowledged");
            return {ExitCode::kIo, false};
        }
        if (!is_told && server.is_ready()) {
            is_told = true;
            print(stdout, "akidb ready to answer\n");
        }
        supervisor.tick();
    }
}

/// The probes of this server, asked as anybody asks them.
Supervisor::Ask ask_probes(const std::string& url) {
    constexpr uint32_t kTimeoutMs = 2000;  // the main loop waits so long for an answer that does not come
    constexpr uint64_t kReplyBytesMax = 64 << 10;
    const std::shared_ptr<io::HttpClient> client = io::make_curl_http_client();
    return [client, url](std::string_view path) -> Result<Supervisor::Answer> {
        AKIDB_TRY(io::HttpReply reply, client->send({.url = url + std::string(path),
                                                     .body = {},
                                                     .headers = {},
                                                     .timeout_ms = kTimeoutMs,
                                                     .reply_bytes_max = kReplyBytesMax}));
        return Supervisor::Answer{reply.status, std::move(reply.body)};
    };
}

ExitCode run_server(Foundation foundation, const StopSignals& signals, const SettingsSources& sources,
                    Effective& effective, std::unique_ptr<io::FileLock> lock, SupervisorOptions supervised) {
    AdjustableLogger& logger = foundation.logger;
    Result<std::unique_ptr<Server>> server = Server::start(foundation, effective, std::move(lock));
    if (!server) {
        return fail(server.error());
    }
    print(stdout, "akidb listening: " + (*server)->endpoints() + "\n");
    logger.log(LogLevel::kInfo, "listening",
               {{"endpoints", (*server)->endpoints()},
                {"version", AKIDB_VERSION},
                {"kernels", foundation.kernels.name}});
    if (const Result<void> loaded = (*server)->load(); !loaded) {
        static_cast<void>((*server)->close(false));
        return fail(loaded.error());
    }
    if (const std::string token = (*server)->setup_token(); !token.empty()) {
        // Whoever sees the log may make the first user anyhow; nobody else has it, and a restart voids it.
        print(stdout, "akidb set-up token, for POST /api/v1/auth/setup: " + token + "\n");
        logger.log(LogLevel::kWarning, "there is no user yet: the set-up token makes the first",
                   {{"token", token}});
    }
    Supervisor supervisor(std::move(supervised), foundation.clock, ask_probes((*server)->probes_url()));
    const Stop stop = run_until_stopped(**server, signals, sources, effective, logger, supervisor);
    supervisor.stop();
    DrainTimes times;
    times.max_ms = static_cast<uint32_t>(effective.integer("drain.max_ms"));
    times.min_ms = stop.is_interactive ? 0 : static_cast<uint32_t>(effective.integer("drain.min_ms"));
    return drain_and_close(**server, signals, foundation.clock, logger, times, stop.planned);
}

/// Large buffers are bodies, documents and log records: they come from the system and go back to it, each at
/// once. By itself glibc moves its threshold up to 32 MiB with the first of them that is freed, keeps the
/// next ones in the heap of each thread, and a server after a burst of uploads holds three times what it used
/// (tests/e2e/overload_test.cc: 150 to 200 MiB instead of 60). What is smaller stays in the heap of its
/// thread up to the size below: so no more heaps than threads that run at once, or they keep as much again
/// (the same test: 90 instead of 60, or not, by the size of a document in memory).
void give_large_buffers_back() {
    constexpr int kLargeBytes = 1 << 20;
    constexpr int kTopOfHeapKeptBytes = 8 << 20;
    mallopt(M_MMAP_THRESHOLD, kLargeBytes);
    mallopt(M_TRIM_THRESHOLD, kTopOfHeapKeptBytes);
    mallopt(M_ARENA_MAX, static_cast<int>(cores()));
}

}  // namespace

ExitCode serve(const SettingsSources& sources) {
    give_large_buffers_back();
    raise_file_descriptor_limit();
    const StopSignals signals;
    SupervisorOptions supervised = supervisor_options();  // while there is one thread
    settings::Parsed parsed = load_settings(sources);
    const std::unique_ptr<io::FileSystem> files = io::make_posix_file_system();
    std::unique_ptr<io::FileLock> lock;
    if (parsed.findings.empty()) {
        // First of all: a running server on the same data holds the ports too, and the lock names the true
        // reason.
        const std::string& data = parsed.effective.text("storage.data_dir");
        Result<std::unique_ptr<io::FileLock>> held = lock_data_directory(*files, data, true);
        if (!held && held.error().code() == Code::kConflict) {
            return fail(held.error());
        }
        lock = held ? std::move(*held) : nullptr;
    }
    add_environment_findings(parsed);
    if (!parsed.findings.empty()) {
        return report(parsed.findings);
    }
    if (!parsed.effective.boolean("server.core_dumps")) {
        forbid_core_dumps();
    }
    const std::unique_ptr<io::Clock> clock = io::make_system_clock();
    LoggerOptions options;
    options.level = log_level_from(parsed.effective.text("logging.level"));
    options.json = parsed.effective.text("logging.format") == "json";
    const std::unique_ptr<AdjustableLogger> logger = make_spdlog_logger(options, *clock);
    const simd::Kernels& kernels = simd::choose_kernels(std::getenv(kKernelsVariable));
    return run_server({*files, *clock, *logger, kernels}, signals, sources, parsed.effective, std::move(lock),
                      std::move(supervised));
}

ExitCode check_config(const SettingsSources& sources, bool json) {
    settings::Parsed parsed = load_settings(sources);
    add_environment_findings(parsed);
    if (json) {
        print(stdout, settings::findings_as_json(parsed.findings) + "\n");
        return parsed.findings.empty() ? ExitCode::kClean : ExitCode::kConfiguration;
    }
    if (!parsed.findings.empty()) {
        return report(parsed.findings);
    }
    print(stdout, "the configuration is valid\n");
    return ExitCode::kClean;
}

ExitCode print_config(const SettingsSources& sources) {
    const settings::Parsed parsed = load_settings(sources);
    print(stdout, settings::print_effective(kSettings, parsed.effective));
    return parsed.findings.empty() ? ExitCode::kClean : report(parsed.findings);
}

}  // namespace akidb::server
