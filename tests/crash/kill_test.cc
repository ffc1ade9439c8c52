// kill_test: kills the real server (SIGKILL) again and again: under the writes of several clients, while it
// recovers from the kill before, and while it drains after SIGTERM. After each restart everything that was
// written is read in every way and judged by a ledger that the server does not know. Small settings make
// checkpoints, log files and links happen all the time. The seed repeats what clients send, not the
// interleaving. With --power-cuts each kill also takes away what was not synced (power_cut.h). Prints one
// line of totals; exit code 0 when nothing was lost, nothing returned and no batch is half there.
#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <thread>

#include "client.h"
#include "documents.h"
#include "power_cut.h"
#include "server_process.h"
#include "verifier.h"

namespace akidb::crash {
namespace {

using e2e::ServerProcess;

constexpr size_t kCollectionSlots = 4;
constexpr uint64_t kAcknowledgedBeforeKill = 20;
constexpr uint32_t kProgressMs = 60'000;

struct Options {
    uint32_t kills = 5;
    uint64_t acknowledged = 0;
    uint64_t seed = 1;
    size_t clients = 6;
    std::string data;
    bool cuts_power = false;
    bool syncs_lie = false;
};

void pause_ms(uint64_t milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

class Torture {
  public:
    explicit Torture(Options options)
        : options_(std::move(options)),
          random_(options_.seed),
          documents_(kGroups),
          collections_(kCollectionSlots),
          contents_(kCollectionSlots) {
        server_options_.data_directory = options_.data.empty() ? files_.path() + "/data" : options_.data;
        server_options_.flags = {"--index.graph_rows_min",
                                 "200",
                                 "--index.degree",
                                 "16",
                                 "--index.build_ef",
                                 "32",
                                 "--storage.checkpoint_log_bytes",
                                 "1048576",
                                 "--storage.log_file_bytes",
                                 "1048576",
                                 "--drain.min_ms",
                                 "50"};
#ifdef AKIDB_POWER_CUT_LAYER
        if (options_.cuts_power) {
            power_ = std::make_unique<PowerCut>(server_options_.data_directory, files_.path() + "/shadow",
                                                options_.seed);
            server_options_.environment = power_->environment(AKIDB_POWER_CUT_LAYER);
            if (options_.syncs_lie) {
                server_options_.environment.emplace_back("POWER_SYNCS_LIE", "1");
            }
        }
#endif
    }

    bool run() {
        start();
        create_collection();
        for (uint32_t kill = 0; kill < options_.kills; ++kill) {
            switch (kill % 5) {
                case 2:
                    kill_while_draining();
                    break;
                case 3:
                    kill_while_recovering();
                    break;
                default:
                    kill_under_writes();
            }
            start();
            check();
        }
        stop_and_check();
        return report();
    }

  private:
    void start() {
        Result<std::unique_ptr<ServerProcess>> started = ServerProcess::start(server_options_);
        if (!started) {
            throw std::runtime_error("the server did not start: " + started.error().message());
        }
        server_ = std::move(*started);
    }

    void await_ready() {
        if (const Result<void> ready = server_->wait_until_ready(); !ready) {
            throw std::runtime_error("the server did not become ready: " + ready.error().message());
        }
    }

    support::Endpoint endpoint() const {
        return support::parse_url(server_->rest_url());
    }

    void create_collection() {
        await_ready();
        support::HttpConnection connection(endpoint());
        const Json body = {{"name", kCollection}, {"dimension", kDimension}, {"metric", "l2"}};
        if (exchange(connection, "POST", "/api/v1/collections", body.dump()).status != 201) {
            throw std::runtime_error("the collection could not be created");
        }
    }

    void check() {
        await_ready();
        Verifier(endpoint(), documents_, {collections_, contents_}, tally_).check_all();
    }

    /// Runs clients, and `end_server` once they got on.
    template <class End>
    void under_writes(End&& end_server) {
        ++round_;
        std::atomic<bool> stop = false;
        std::vector<std::thread> clients;
        const uint64_t enough = std::max(documents_.acknowledged() + kAcknowledgedBeforeKill,
                                         options_.acknowledged / options_.kills * round_);
        for (size_t number = 0; number <= options_.clients; ++number) {
            const ClientOptions client{endpoint(), options_.seed * 1'000'000 + round_, number,
                                       options_.clients};
            clients.emplace_back([this, client, &stop] {
                if (client.number < client.clients) {
                    write_documents(client, documents_, stop, surprises_);
                } else {
                    make_collections(client, {collections_, contents_}, stop, surprises_);
                }
            });
        }
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(kProgressMs);
        while (documents_.acknowledged() < enough && std::chrono::steady_clock::now() < give_up) {
            pause_ms(1);
        }
        end_server();
        stop = true;
        for (std::thread& client : clients) {
            client.join();
        }
        if (documents_.acknowledged() < enough) {
            throw std::runtime_error("the server acknowledged too little: " + server_->log());
        }
    }

    void kill_under_writes() {
        under_writes([this] {
            pause_ms(random_() % 900);
            fell();
        });
    }

    void kill_while_draining() {
        under_writes([this] {
            pause_ms(random_() % 300);
            server_->send_signal(SIGTERM);
            pause_ms(random_() % 150);
            fell();
        });
    }

    void kill_while_recovering() {
        under_writes([this] {
            pause_ms(random_() % 600);
            if (random_() % 2 == 0) {
                fell();
            } else {
                server_->kill_now();
            }
        });
        start();
        pause_ms(random_() % 20);
        fell();
    }

    /// Kills the process and, where asked for, cuts the power.
    void fell() {
        server_->kill_now();
        if (power_ != nullptr) {
            power_->cut(random_() % 2 == 0 ? Unsynced::kLost : Unsynced::kPartlyKept);
        }
    }

    void stop_and_check() {
        under_writes([this] {
            pause_ms(100);
            server_->send_signal(SIGTERM);
        });
        const Result<int> code = server_->wait_for_exit(30'000);
        if (!code || *code != 0) {
            throw std::runtime_error("the server did not end with 0 after SIGTERM: " + server_->log());
        }
        start();
        check();
    }

    uint64_t acknowledged() const {
        return documents_.acknowledged() + collections_.acknowledged() + contents_.acknowledged();
    }

    bool report() {
        const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
        std::printf("kills %u, acknowledged %llu, lost %llu, ghosts %llu, half batches %llu\n",
                    options_.kills, number(acknowledged()), number(tally_.lost), number(tally_.ghosts),
                    number(tally_.half_batches));
        std::printf(
            "disagreements %llu, unexpected answers %llu, %llu of %llu default searches missed, linked "
            "rows up to %llu, covered sequence up to %llu, %llu collections deleted or made, rewrites seen "
            "%llu\n",
            number(tally_.disagreements), number(surprises_.load()), number(tally_.misses),
            number(tally_.searches), number(tally_.linked_rows_max), number(tally_.covered_sequence_max),
            number(collections_.acknowledged()), number(tally_.rewrites));
        if (power_ != nullptr) {
            const PowerLoss& loss = power_->loss();
            std::printf(
                "power cuts %llu: %llu sectors lost, %llu kept; %llu new names lost, %llu old ones back\n",
                number(loss.cuts), number(loss.sectors_lost), number(loss.sectors_kept),
                number(loss.names_lost), number(loss.names_back));
        }
        return tally_.is_clean() && surprises_.load() == 0;
    }

    Options options_;
    std::mt19937_64 random_;
    e2e::TemporaryDirectory files_;
    e2e::ServerOptions server_options_;
    std::unique_ptr<ServerProcess> server_;
    std::unique_ptr<PowerCut> power_;
    Ledger documents_;
    Ledger collections_;
    Ledger contents_;
    Tally tally_;
    std::atomic<uint64_t> surprises_ = 0;
    uint64_t round_ = 0;
};

}  // namespace
}  // namespace akidb::crash

int main(int count, char** words) {
    akidb::crash::Options options;
    CLI::App app("Kills the server under load and checks what it still knows", "kill_test");
    app.add_option("--kills", options.kills, "How often")->check(CLI::Range(1U, 1'000'000U));
    app.add_option("--acknowledged", options.acknowledged,
                   "Kills come as far apart as it takes to get so many documents requests acknowledged");
    app.add_option("--seed", options.seed, "Of what clients send");
    app.add_option("--clients", options.clients, "Writing at once")->check(CLI::Range(1U, 100U));
    app.add_option("--data", options.data, "An empty data directory, kept; else a temporary one");
#ifdef AKIDB_POWER_CUT_LAYER
    app.add_flag("--power-cuts", options.cuts_power,
                 "Each kill also drops what was not synced, or a part of it");
    app.add_flag("--syncs-lie", options.syncs_lie, "The disk forgets synced data, too: the test must fail");
#endif
    CLI11_PARSE(app, count, words);
    try {
        return akidb::crash::Torture(std::move(options)).run() ? 0 : 1;
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "kill_test: %s\n", fault.what());
        return 1;
    }
}
