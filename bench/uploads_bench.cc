// uploads_bench: how fast a file goes to an S3 server by the store that backups and tiers use, beside rclone
// and s3cmd: the same server, the same file, parts of the same size, in turn. rclone sends as many parts at
// once as the store does; s3cmd can only send one after the other, so the store is measured that way too.
// Times are from the words "send this" to the answer that all of it is there: ours with hashing the file
// before, theirs without what each takes to start (the least of several times for a file of one byte).
// tests/s3/s3_test.sh starts the server and says where it is (AKIDB_S3_PORT). Prints one table with bars.
// Exit codes: 0, 64 usage, 70 when something did not work.
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "backup/target.h"
#include "bench/bars.h"
#include "bench/bench_main.h"
#include "io/executor.h"
#include "io/posix_file_system.h"
#include "objects/sha256.h"

namespace akidb::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr size_t kPartMiB = 16;     // of the store
constexpr size_t kPartsAtOnce = 4;  // the same
constexpr const char* kBucket = "akidb-test";

struct Options {
    size_t megabytes = 192;
    size_t rounds = 3;
    uint64_t seed = 1;
};

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr) {
        throw std::runtime_error(std::string("no ") + name + ": ./dev bench uploads starts a server");
    }
    return value;
}

template <class T>
T must(Result<T> result) {
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
    return std::move(result).value();
}

double seconds_of(const std::function<void()>& act) {
    const auto began = Clock::now();
    act();
    return std::chrono::duration<double>(Clock::now() - began).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

/// Who uploads, and how fast.
struct Contender {
    std::string name;
    std::function<void(const std::string& path)> upload;
    double start_s = 0;
    std::vector<double> megabytes_per_s{};
};

class UploadsBench {
  public:
    explicit UploadsBench(const Options& options)
        : options_(options), endpoint_("http://127.0.0.1:" + variable("AKIDB_S3_PORT")) {
        std::string name = (fs::temp_directory_path() / "akidb-bench-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("cannot make a directory " + name);
        }
        directory_ = name;
        write_file("small", 1);
        write_file("large", options.megabytes * 1'000'000);
    }
    ~UploadsBench() {
        std::error_code ignored;
        fs::remove_all(directory_, ignored);
    }
    UploadsBench(const UploadsBench&) = delete;
    UploadsBench& operator=(const UploadsBench&) = delete;

    void run() {
        const auto together = open(&senders_);
        const auto alone = open(nullptr);
        std::vector<Contender> all;
        all.push_back({"akidb, 4 parts at once", [&](const std::string& path) { put(*together, path); }});
        all.push_back({"rclone, 4 parts at once", [this](const std::string& path) { rclone(path); }});
        all.push_back(
            {"akidb, one part after the other", [&](const std::string& path) { put(*alone, path); }});
        all.push_back({"s3cmd, one part after the other", [this](const std::string& path) { s3cmd(path); }});
        for (Contender& one : all) {
            one.upload(path("small"));  // what is made once, is made
            double start_s = seconds_of([&] { one.upload(path("small")); });
            for (size_t i = 1; i < options_.rounds; ++i) {
                start_s = std::min(start_s, seconds_of([&] { one.upload(path("small")); }));
            }
            one.start_s = one.name.starts_with("akidb") ? 0 : start_s;
        }
        for (size_t round = 0; round < options_.rounds; ++round) {
            for (Contender& one : all) {
                const double seconds = seconds_of([&] { one.upload(path("large")); }) - one.start_s;
                one.megabytes_per_s.push_back(static_cast<double>(options_.megabytes) / seconds);
            }
        }
        print(all);
    }

  private:
    std::string path(const std::string& name) const { return directory_ + "/" + name; }

    void write_file(const std::string& name, size_t bytes) const {
        std::mt19937_64 random(options_.seed);
        std::ofstream file(path(name), std::ios::binary);
        std::string piece;
        for (size_t left = bytes; left > 0; left -= piece.size()) {
            piece.resize(std::min<size_t>(left, 1 << 20));
            for (char& byte : piece) {
                byte = static_cast<char>(random());
            }
            file << piece;
        }
        if (!file.flush()) {
            throw std::runtime_error("cannot write " + path(name));
        }
    }

    /// As the server reaches it: with breaker and retries.
    std::unique_ptr<backup::Target> open(io::Executor* senders) {
        backup::S3Access s3{.endpoint = endpoint_};
        s3.credentials.environment = {{"AWS_ACCESS_KEY_ID", variable("AWS_ACCESS_KEY_ID")},
                                      {"AWS_SECRET_ACCESS_KEY", variable("AWS_SECRET_ACCESS_KEY")}};
        s3.part_senders = senders;
        return must(backup::Target::open({*files_, *clock_, *random_, *pause_},
                                         "s3://" + std::string(kBucket) + "/uploads", s3,
                                         backup::TargetUse::kWrite));
    }

    void put(backup::Target& target, const std::string& from) {
        const auto file = must(files_->open_read(from));
        const std::string hash = must(objects::sha256_of_file(*file, file->size()));
        if (const Result<void> sent = target.store().put_file("akidb", {*file, file->size(), hash}); !sent) {
            throw std::runtime_error(sent.error().message());
        }
    }

    void call(const std::string& command) const {
        const std::string log = path("log");
        // rclone 1.60 stumbles over a bundle of authorities in the environment, even for plain http.
        if (std::system(("env -u AWS_CA_BUNDLE " + command + " >" + log + " 2>&1 </dev/null").c_str()) != 0) {
            std::ifstream file(log);
            throw std::runtime_error(command + ": " + std::string(std::istreambuf_iterator<char>(file), {}));
        }
    }
    void rclone(const std::string& from) const {
        const std::string parts = std::to_string(kPartMiB) + "Mi";
        call("rclone --config '' copyto " + from + " :s3:" + kBucket + "/uploads/rclone --s3-provider Ceph" +
             " --s3-env-auth --s3-endpoint " + endpoint_ + " --s3-no-check-bucket --ignore-times" +
             " --s3-upload-cutoff " + parts + " --s3-chunk-size " + parts + " --s3-upload-concurrency " +
             std::to_string(kPartsAtOnce));
    }
    void s3cmd(const std::string& from) const {
        const std::string host = endpoint_.substr(endpoint_.rfind('/') + 1);
        call("s3cmd --config /dev/null --access_key " + variable("AWS_ACCESS_KEY_ID") + " --secret_key " +
             variable("AWS_SECRET_ACCESS_KEY") + " --host " + host + " --host-bucket " + host +
             " --no-ssl --no-progress --multipart-chunk-size-mb " + std::to_string(kPartMiB) + " put " +
             from + " s3://" + kBucket + "/uploads/s3cmd");
    }

    void print(const std::vector<Contender>& all) {
        bars_.heading(std::to_string(options_.megabytes) + " MB in parts of " + std::to_string(kPartMiB) +
                      " MiB, medians of " + std::to_string(options_.rounds) + " rounds in turn");
        std::vector<double> medians;
        for (const Contender& one : all) {
            medians.push_back(median(one.megabytes_per_s));
            bars_.line(one.name, medians.back(), "MB/s");
            const auto [least, most] =
                std::minmax_element(one.megabytes_per_s.begin(), one.megabytes_per_s.end());
            std::printf("    of %.1f to %.1f MB/s; to start took %.2f s, not counted\n", *least, *most,
                        one.start_s);
        }
        bars_.at_least(0.8, "akidb beside rclone", medians[0] / medians[1], "times");
        bars_.at_least(0.8, "akidb beside s3cmd", medians[2] / medians[3], "times");
        std::printf("\n%u bars missed\n", bars_.missed());
    }

    const Options options_;
    const std::string endpoint_;
    std::string directory_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> random_ = io::make_system_random();
    std::unique_ptr<io::Pause> pause_ = io::make_system_pause();
    io::ThreadPool senders_{{.name = "parts", .threads = kPartsAtOnce}};
    Bars bars_;
};

}  // namespace
}  // namespace akidb::bench

int main(int argc, char** argv) {
    akidb::bench::Options options;
    CLI::App app("How fast a file goes to an S3 server, beside rclone and s3cmd");
    // The server of the tests keeps objects in memory, what was replaced as well: 4 GB at most.
    app.add_option("--megabytes", options.megabytes, "Of the file")
        ->check(CLI::Range(20, 1000))
        ->capture_default_str();
    app.add_option("--rounds", options.rounds, "Of all four, in turn")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    app.add_option("--seed", options.seed, "Of what is in the file")->capture_default_str();
    return akidb::bench::bench_main(app, "uploads_bench", argc, argv,
                                    [&] { akidb::bench::UploadsBench(options).run(); });
}
