// bit_rot: flips one bit in each of many 4 KiB blocks of a closed collection's files (log, segments,
// manifest), opens it each time, which checks what it reads, and holds everything it then says against the
// undamaged collection: every document, the count, and searches exact and by the graph. A flip is
//   detected   opening fails with DATA_LOSS: the server would quarantine the collection
//   harmless   the collection opens and all it says is the same: the bit lay in padding, in preallocated
//              space, in a file that is not needed, or in the clean stop, whose loss says only "unclean"
//   wrong      anything else
// Prints one line for each kind of file and one of totals; exit code 0 when nothing was wrong.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>

#include "engine/collection.h"
#include "io/posix_file_system.h"
#include "io/random.h"
#include "server_process.h"

namespace akidb::crash {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlockBytes = 4096;
constexpr uint32_t kDimension = 64;
constexpr size_t kBatch = 500;
constexpr size_t kQueries = 4;

/// Nothing runs beside the test.
class NoBackground final : public io::Executor {
  public:
    bool submit(std::string, Job) override { return false; }
};

struct Options {
    size_t blocks = 2000;
    size_t rows = 16'000;  // more than 2,000 blocks
    uint64_t seed = 1;
};

struct Counts {
    size_t flips = 0;
    size_t detected = 0;
    size_t harmless = 0;
    size_t wrong = 0;
};

struct Block {
    fs::path file;  // below the collection's directory
    uint64_t offset = 0;
};

/// All that a collection says, to be compared as a whole.
struct Said {
    uint64_t count = 0;
    std::vector<std::tuple<std::string, std::vector<float>, std::string, uint64_t>> documents;
    std::vector<std::pair<std::string, float>> matches;
    bool operator==(const Said&) const = default;
};

template <class T>
T must(Result<T> result, const char* what) {
    if (!result) {
        throw std::runtime_error(std::string(what) + ": " + result.error().message());
    }
    return std::move(result).value();
}

void must_void(const Result<void>& result, const char* what) {
    if (!result) {
        throw std::runtime_error(std::string(what) + ": " + result.error().message());
    }
}

class BitRot {
  public:
    explicit BitRot(Options options) : options_(options), random_(options.seed) {
        spec_.name = "rotting";
        spec_.dimension = kDimension;
        spec_.metric = model::Metric::kL2;
        spec_.vectors = {{"side", kDimension, model::Metric::kL2}};
        spec_.id = io::make_uuid(*system_random_, *clock_);
        collection_options_.graph_rows_min = 1'000;
        collection_options_.graph.degree = 16;
        collection_options_.graph.build_ef = 32;
        collection_options_.checkpoint_linked_rows = 1'000;
        for (float& component : queries_) {
            component = static_cast<float>(random_() % 256) / 16;
        }
    }

    bool run() {
        make();
        const Said sound = say(opened(copy(std::nullopt)));
        if (sound.documents.empty()) {
            throw std::runtime_error("the collection is empty");
        }
        std::vector<Block> blocks = list_blocks();
        const size_t all = blocks.size();
        std::shuffle(blocks.begin(), blocks.end(), random_);
        blocks.resize(std::min(blocks.size(), options_.blocks));
        for (const Block& block : blocks) {
            judge(block, sound);
        }
        report(all);
        return totals_.wrong == 0;
    }

  private:
    std::string original() const { return files_here_.path() + "/original"; }

    std::shared_ptr<engine::Collection> opened(const std::string& directory) {
        return must(engine::Collection::open(dependencies(), directory, spec_, collection_options_),
                    "opening");
    }
    engine::Dependencies dependencies() { return {*files_, *clock_, executor_, logger_, metrics_}; }

    model::DocumentId id_of(size_t number) const {
        return must(model::DocumentId::from_text("document/" + std::to_string(number)), "an id");
    }

    std::vector<model::Document> batch_of(size_t first) {
        std::vector<model::Document> documents;
        for (size_t number = first; number < std::min(options_.rows, first + kBatch); ++number) {
            model::Document document{.id = id_of(number), .vector = std::vector<float>(kDimension)};
            if (number % 3 != 0) {
                document.vectors = {{"side", std::vector<float>(kDimension)}};
            }
            for (std::vector<float>* vector :
                 {&document.vector, number % 3 != 0 ? &document.vectors[0].values : nullptr}) {
                for (size_t i = 0; vector != nullptr && i < vector->size(); ++i) {
                    (*vector)[i] = static_cast<float>(random_() % 256) / 16;
                }
            }
            model::MetadataWriter writer;
            writer.begin_object();
            writer.key("number");
            writer.put_int(static_cast<int64_t>(number));
            writer.key("text");
            writer.put_string(std::string(100, static_cast<char>('a' + number % 26)));
            writer.end();
            document.metadata = must(std::move(writer).finish(), "metadata");
            documents.push_back(std::move(document));
        }
        return documents;
    }

    /// A graph, death marks, several segments, and a log with records that no checkpoint covers.
    void make() {
        must_void(engine::Collection::create(*files_, files_here_.path(), original()), "creating");
        auto collection = opened(original());
        const size_t uncovered = options_.rows / 20;
        for (size_t first = 0; first < options_.rows; first += kBatch) {
            must(collection->upsert(batch_of(first)), "upserting");
            std::vector<model::DocumentId> dead;
            for (size_t number = first; number < std::min(options_.rows, first + kBatch); number += 10) {
                dead.push_back(id_of(number));
            }
            must(collection->remove(dead), "deleting");
            if (first + kBatch + uncovered < options_.rows && first / kBatch % 4 == 3) {
                must_void(collection->run_maintenance_now(), "linking");
            }
        }
        must_void(collection->close(false), "closing");
    }

    std::vector<Block> list_blocks() const {
        std::vector<Block> blocks;
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(original())) {
            for (uint64_t at = 0; entry.is_regular_file() && at < entry.file_size(); at += kBlockBytes) {
                blocks.push_back({fs::relative(entry.path(), original()), at});
            }
        }
        return blocks;
    }

    /// A collection never changes a file that is there, so links will do for all but the damaged one.
    std::string copy(const std::optional<Block>& damaged) {
        const std::string to = files_here_.path() + "/copy";
        fs::remove_all(to);
        fs::copy(original(), to, fs::copy_options::recursive | fs::copy_options::create_hard_links);
        if (damaged) {
            const fs::path path = to / damaged->file;
            fs::remove(path);
            fs::copy_file(original() / damaged->file, path);
            const uint64_t bytes = std::min<uint64_t>(kBlockBytes, fs::file_size(path) - damaged->offset);
            const uint64_t at = damaged->offset + random_() % bytes;
            std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
            file.seekg(static_cast<std::streamoff>(at));
            const auto byte = static_cast<char>(file.get() ^ (1 << random_() % 8));
            file.seekp(static_cast<std::streamoff>(at));
            file.put(byte);
            flipped_at_ = at;
        }
        return to;
    }

    Said say(const std::shared_ptr<engine::Collection>& collection) {
        Said said;
        said.count = must(collection->count(nullptr), "counting");
        std::vector<model::DocumentId> ids;
        for (size_t number = 0; number < options_.rows; ++number) {
            ids.push_back(id_of(number));
            if (ids.size() == kBatch || number + 1 == options_.rows) {
                for (model::Document& one :
                     must(collection->get(ids, {.vector = true, .metadata = true}), "reading")) {
                    for (const model::NamedVector& side : one.vectors) {
                        one.vector.insert(one.vector.end(), side.values.begin(), side.values.end());
                    }
                    said.documents.emplace_back(one.id.to_string(), std::move(one.vector),
                                                std::move(one.metadata), one.version);
                }
                ids.clear();
            }
        }
        for (size_t query = 0; query < kQueries; ++query) {
            for (const bool exact : {true, false}) {
                model::SearchRequest request;
                request.vector.assign(queries_.begin() + static_cast<std::ptrdiff_t>(query),
                                      queries_.begin() + static_cast<std::ptrdiff_t>(query + kDimension));
                request.params.exact = exact;
                for (const char* name : {"", "side"}) {
                    request.vector_name = name;
                    for (const model::SearchMatch& match :
                         must(collection->search(request), "searching").matches) {
                        said.matches.emplace_back(match.document.id.to_string(), match.score);
                    }
                }
            }
        }
        return said;
    }

    void judge(const Block& block, const Said& sound) {
        const std::string directory = copy(block);
        const bool is_manifest = block.file.filename().string().starts_with("MANIFEST");
        Counts& counts = by_kind_[is_manifest ? "manifest" : block.file.extension().string().substr(1)];
        ++counts.flips;
        auto collection = engine::Collection::open(dependencies(), directory, spec_, collection_options_);
        if (!collection) {
            const bool is_named = collection.error().code() == Code::kDataLoss;
            ++(is_named ? counts.detected : counts.wrong);
            if (!is_named) {
                std::fprintf(stderr, "%s at %llu: not called damage: %s\n", block.file.c_str(),
                             static_cast<unsigned long long>(flipped_at_),
                             collection.error().message().c_str());
            }
            return;
        }
        const bool is_same = say(*collection) == sound;
        ++(is_same ? counts.harmless : counts.wrong);
        if (!is_same) {
            std::fprintf(stderr, "%s at %llu: opened, and says something else\n", block.file.c_str(),
                         static_cast<unsigned long long>(flipped_at_));
        }
    }

    void report(size_t all) {
        for (const auto& [kind, counts] : by_kind_) {
            std::printf("%-9s %6zu flips: %6zu detected, %6zu harmless, %zu wrong\n", kind.c_str(),
                        counts.flips, counts.detected, counts.harmless, counts.wrong);
            totals_.flips += counts.flips;
            totals_.detected += counts.detected;
            totals_.harmless += counts.harmless;
            totals_.wrong += counts.wrong;
        }
        std::printf("blocks %zu of %zu, detected %zu, harmless %zu, wrong %zu\n", totals_.flips, all,
                    totals_.detected, totals_.harmless, totals_.wrong);
    }

    Options options_;
    std::mt19937_64 random_;
    e2e::TemporaryDirectory files_here_;
    std::unique_ptr<io::FileSystem> files_ = io::make_posix_file_system();
    std::unique_ptr<io::Clock> clock_ = io::make_system_clock();
    std::unique_ptr<io::Random> system_random_ = io::make_system_random();
    NoBackground executor_;
    NullLogger logger_;
    telemetry::Metrics metrics_;
    model::CollectionSpec spec_;
    engine::CollectionOptions collection_options_;
    std::array<float, kDimension + kQueries> queries_{};
    uint64_t flipped_at_ = 0;
    std::map<std::string, Counts> by_kind_;
    Counts totals_;
};

}  // namespace
}  // namespace akidb::crash

int main(int count, char** words) {
    akidb::crash::Options options;
    CLI::App app("Flips bits in the files of a collection and checks that each is noticed", "bit_rot");
    app.add_option("--blocks", options.blocks,
                   "How many blocks of 4 KiB get a flipped bit, each in a fresh copy");
    app.add_option("--rows", options.rows, "Of the collection")->check(CLI::Range(3'000U, 1'000'000U));
    app.add_option("--seed", options.seed, "Of the choice");
    CLI11_PARSE(app, count, words);
    try {
        return akidb::crash::BitRot(options).run() ? 0 : 1;
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "bit_rot: %s\n", fault.what());
        return 1;
    }
}
