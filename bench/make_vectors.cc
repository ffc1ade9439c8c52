// make_vectors: vectors shaped like text embeddings, for sets that nobody may copy or that do not exist in
// the size wanted. Everything lives in a 256-dimensional subspace; 300 topics, whose sizes follow Zipf's law,
// have centres with a decaying spectrum, and each spreads in its own 32-dimensional mix of directions,
// decaying too; to that come a little noise in all directions and one common mean (so that any two rows have
// a cosine above 0, as embeddings have). Rows have unit length.
//   make_vectors --rows N --out DIRECTORY [--queries 1000] [--dimension 768] [--seed 20261123]
// Every row has its own stream of random numbers: the same seed gives the same rows with any number of
// threads, and a smaller set is the beginning of a larger one, with the same queries.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr size_t kSubspace = 256;
constexpr size_t kTopics = 300;
constexpr size_t kCentreDimension = 128;
constexpr size_t kSpreadDimension = 32;
constexpr double kTopicExponent = 0.6;  // of the sizes
constexpr double kCentreDecay = 0.5;    // of the spectra
constexpr double kSpreadDecay = 0.4;
constexpr double kSpread = 1.4;
constexpr double kMean = 1.2;
constexpr double kNoise = 0.2;
constexpr size_t kRowsPerBatch = 8192;

// SplitMix64 (Steele et al. 2014), and from it normal numbers by Box and Muller.
class Random {
  public:
    Random(uint64_t seed, uint64_t stream)
        : state_(seed * 0x9e3779b97f4a7c15u ^ (stream + 1) * 0xd1342543de82ef95u) {
        next();
    }
    double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }
    float normal() {
        if (has_spare_) {
            has_spare_ = false;
            return spare_;
        }
        const double radius = std::sqrt(-2 * std::log(uniform()));
        const double angle = 2 * std::numbers::pi * uniform();
        spare_ = static_cast<float>(radius * std::sin(angle));
        has_spare_ = true;
        return static_cast<float>(radius * std::cos(angle));
    }

  private:
    uint64_t next() {
        uint64_t mixed = state_ += 0x9e3779b97f4a7c15u;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
        return mixed ^ (mixed >> 31);
    }

    uint64_t state_;
    float spare_ = 0;
    bool has_spare_ = false;
};

enum Stream : uint64_t {
    kBasisStream,
    kTopicStream,
    kMeanStream,
    kQueryStream = 1u << 20,
    kRowStream = 1u << 30
};

void add_scaled(std::span<float> to, float factor, const float* from) {
    for (size_t i = 0; i < to.size(); ++i) {
        to[i] += factor * from[i];
    }
}

float dot(std::span<const float> left, std::span<const float> right) {
    double total = 0;
    for (size_t i = 0; i < left.size(); ++i) {
        total += double{left[i]} * double{right[i]};
    }
    return static_cast<float>(total);
}

void normalise(std::span<float> vector) {
    const float length = std::sqrt(dot(vector, vector));
    for (float& component : vector) {
        component /= length;
    }
}

class Source {
  public:
    Source(uint64_t seed, size_t dimension) : seed_(seed), dimension_(dimension) {
        make_basis();
        make_topics();
    }

    void make(uint64_t stream, std::span<float> row) const {
        Random random(seed_, stream);
        const auto found = std::upper_bound(sizes_.begin(), sizes_.end(), random.uniform() * sizes_.back());
        const size_t topic = std::min<size_t>(static_cast<size_t>(found - sizes_.begin()), kTopics - 1);
        std::array<float, kSubspace> inner;
        std::copy_n(&centres_[topic * kSubspace], kSubspace, inner.begin());
        for (size_t i = 0; i < kSpreadDimension; ++i) {
            const auto scale =
                static_cast<float>(kSpread * std::pow(static_cast<double>(i + 1), -kSpreadDecay));
            add_scaled(inner, random.normal() * scale, &spreads_[(topic * kSpreadDimension + i) * kSubspace]);
        }
        const auto noise = static_cast<float>(kNoise / std::sqrt(static_cast<double>(dimension_)));
        for (float& component : row) {
            component = random.normal() * noise;
        }
        for (size_t i = 0; i < kSubspace; ++i) {
            add_scaled(row, inner[i], &basis_[i * dimension_]);
        }
        normalise(row);
    }

  private:
    // Orthonormal rows by Gram and Schmidt, twice for accuracy.
    void make_basis() {
        Random random(seed_, kBasisStream);
        basis_.resize(kSubspace * dimension_);
        for (size_t i = 0; i < kSubspace; ++i) {
            const std::span<float> row(&basis_[i * dimension_], dimension_);
            std::generate(row.begin(), row.end(), [&] { return random.normal(); });
            for (size_t other = 0; other < 2 * i; ++other) {
                const std::span<const float> earlier(&basis_[other % i * dimension_], dimension_);
                add_scaled(row, -dot(row, earlier), earlier.data());
            }
            normalise(row);
        }
    }

    void make_topics() {
        std::array<float, kSubspace> mean;
        Random mean_random(seed_, kMeanStream);
        const double deviation = kMean / std::sqrt(double{kSubspace});
        std::generate(mean.begin(), mean.end(),
                      [&] { return static_cast<float>(mean_random.normal() * deviation); });
        Random random(seed_, kTopicStream);
        double total = 0;
        for (size_t topic = 0; topic < kTopics; ++topic) {
            total += std::pow(static_cast<double>(topic + 1), -kTopicExponent);
            sizes_.push_back(total);
            for (size_t i = 0; i < kSubspace; ++i) {
                const double scale =
                    i < kCentreDimension ? std::pow(static_cast<double>(i + 1), -kCentreDecay) : 0;
                centres_.push_back(mean[i] + static_cast<float>(random.normal() * scale));
            }
            for (size_t i = 0; i < kSpreadDimension * kSubspace; ++i) {
                spreads_.push_back(random.normal() / std::sqrt(float{kSubspace}));
            }
        }
    }

    uint64_t seed_;
    size_t dimension_;
    std::vector<float> basis_;    // kSubspace × dimension
    std::vector<double> sizes_;   // running totals
    std::vector<float> centres_;  // kTopics × kSubspace
    std::vector<float> spreads_;  // kTopics × kSpreadDimension × kSubspace
};

struct Options {
    size_t rows = 0;
    size_t queries = 1000;
    size_t dimension = 768;
    uint64_t seed = 20261123;
    std::string out;
};

void fill_batch(const Source& source, uint64_t first_stream, size_t dimension, std::span<float> batch) {
    const size_t rows = batch.size() / dimension;
    const size_t thread_count = std::max(1u, std::thread::hardware_concurrency());
    std::vector<std::thread> threads;
    for (size_t thread = 0; thread < thread_count; ++thread) {
        threads.emplace_back([&, thread] {
            for (size_t row = thread; row < rows; row += thread_count) {
                source.make(first_stream + row, batch.subspan(row * dimension, dimension));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

void write_rows(const Source& source, uint64_t first_stream, size_t rows, size_t dimension,
                const std::string& path) {
    const std::array<uint32_t, 2> header{static_cast<uint32_t>(rows), static_cast<uint32_t>(dimension)};
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(header.data()), sizeof(header));
    std::vector<float> batch;
    for (size_t from = 0; from < rows; from += kRowsPerBatch) {
        batch.resize(std::min(kRowsPerBatch, rows - from) * dimension);
        fill_batch(source, first_stream + from, dimension, batch);
        file.write(reinterpret_cast<const char*>(batch.data()),
                   static_cast<std::streamsize>(batch.size() * sizeof(float)));
    }
    file.flush();
    if (!file) {
        throw std::runtime_error("writing " + path + " failed");
    }
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("vectors shaped like text embeddings");
    app.add_option("--rows", options.rows, "rows of base.fbin")
        ->required()
        ->check(CLI::Range(1, 100'000'000));
    app.add_option("--out", options.out, "directory for base.fbin and query.fbin")->required();
    app.add_option("--queries", options.queries, "rows of query.fbin")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000'000));
    app.add_option("--dimension", options.dimension, "components of a row")
        ->capture_default_str()
        ->check(CLI::Range(256, 4096));
    app.add_option("--seed", options.seed, "of every random number")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        std::filesystem::create_directories(options.out);
        const Source source(options.seed, options.dimension);
        write_rows(source, kQueryStream, options.queries, options.dimension, options.out + "/query.fbin");
        write_rows(source, kRowStream, options.rows, options.dimension, options.out + "/base.fbin");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "make_vectors: %s\n", error.what());
        return 1;
    }
    return 0;
}
