#include "objects/conformance.h"

#include <algorithm>
#include <vector>

#include "base/assert.h"
#include "base/mutex.h"
#include "io/executor.h"
#include "objects/sha256.h"

namespace akidb::objects {
namespace {

constexpr size_t kRaces = 20;
constexpr size_t kWriters = 8;
constexpr uint64_t kPartedBytes = (16 << 20) + (1 << 20) + 17;  // two parts, the second of an odd size

Error broken(std::string message) {
    return Error(Code::kDataLoss, std::move(message));
}

/// A file that is as random as its seed.
class MadeUpFile final : public io::ReadFile {
  public:
    explicit MadeUpFile(uint64_t bytes, uint64_t seed) {
        const auto random = io::make_seeded_random(seed);
        while (bytes_.size() < bytes) {
            const uint64_t word = random->next_u64();
            bytes_.append(reinterpret_cast<const char*>(&word), sizeof(word));
        }
        bytes_.resize(bytes);
    }
    uint64_t size() const override { return bytes_.size(); }
    Result<void> read_at(uint64_t offset, size_t count, std::string& out) const override {
        if (offset > bytes_.size() || count > bytes_.size() - offset) {
            return broken("the file ends before");
        }
        out = bytes_.substr(offset, count);
        return {};
    }
    const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
};

class Probe {
  public:
    Probe(ObjectStore& store, io::Random& random)
        : store_(store), random_(random), folder_("akidb-check/" + std::to_string(random.next_u64()) + "/") {}

    Result<void> reads_what_was_written() {
        for (const size_t bytes : {size_t{0}, size_t{1}, size_t{4096}, size_t{100'000}}) {
            const MadeUpFile content(bytes, random_.next_u64());
            const std::string key = folder_ + "read/" + std::to_string(bytes);
            AKIDB_TRY(store_.put(key, content.bytes(), PutMode::kOverwrite));
            AKIDB_TRY(expect(key, content.bytes()));
            AKIDB_TRY(const ObjectFacts facts, store_.head(key));
            if (facts.bytes != bytes) {
                return broken("the size of an object is told wrong");
            }
        }
        AKIDB_TRY(store_.put(folder_ + "read/1", "other", PutMode::kOverwrite));
        return expect(folder_ + "read/1", "other");
    }

    Result<void> knows_what_is_not_there() {
        const std::string key = folder_ + "nothing";
        for (const Error& error : {error_of(store_.get(key, 10)), error_of(store_.head(key)),
                                   error_of(store_.get_range(key, {0, 1}))}) {
            if (error.code() != Code::kNotFound) {
                return broken("what is not there is answered by: " + error.message());
            }
        }
        return store_.remove(key);
    }

    Result<void> creates_only_once() {
        const std::string key = folder_ + "once";
        AKIDB_TRY(store_.put(key, "first", PutMode::kCreateOnly));
        AKIDB_TRY(expect_taken(store_.put(key, "second", PutMode::kCreateOnly)));
        AKIDB_TRY(expect(key, "first"));
        AKIDB_TRY(store_.remove(key));
        AKIDB_TRY(store_.put(key, "third", PutMode::kCreateOnly));
        return expect(key, "third");
    }

    Result<void> lets_one_writer_win() {
        io::ThreadPool writers({"probe", kWriters, kRaces * kWriters, 0});
        for (size_t race = 0; race < kRaces; ++race) {
            AKIDB_TRY(run_race(writers, folder_ + "race/" + std::to_string(race)));
        }
        return {};
    }

    Result<void> reads_ranges() {
        const MadeUpFile content(10'000, random_.next_u64());
        const std::string key = folder_ + "range";
        AKIDB_TRY(store_.put(key, content.bytes(), PutMode::kOverwrite));
        for (const ByteRange range : {ByteRange{0, 1}, ByteRange{9'999, 1}, ByteRange{1'234, 5'678},
                                      ByteRange{0, 10'000}, ByteRange{5, 0}}) {
            AKIDB_TRY(const std::string got, store_.get_range(key, range));
            if (got != content.bytes().substr(range.offset, range.count)) {
                return broken("a range has other bytes than the object");
            }
        }
        for (const ByteRange range : {ByteRange{9'999, 2}, ByteRange{10'000, 1}}) {
            const Result<std::string> beyond = store_.get_range(key, range);
            if (beyond || beyond.error().code() != Code::kDataLoss) {
                return broken("a range beyond the end is not refused");
            }
        }
        return {};
    }

    Result<void> puts_eight_mebibytes_once() {
        const MadeUpFile content(8 << 20, random_.next_u64());
        const std::string key = folder_ + "eight";
        AKIDB_TRY(store_.put(key, content.bytes(), PutMode::kCreateOnly));
        const MadeUpFile other(8 << 20, random_.next_u64());
        AKIDB_TRY(expect_taken(store_.put(key, other.bytes(), PutMode::kCreateOnly)));
        return expect(key, content.bytes());
    }

    Result<void> puts_files_in_parts() {
        const MadeUpFile content(kPartedBytes, random_.next_u64());
        const std::string key = folder_ + "parts";
        AKIDB_TRY(store_.put_file(key, {content, kPartedBytes, sha256_hex(content.bytes())}));
        AKIDB_TRY(const ObjectFacts facts, store_.head(key));
        if (facts.bytes != kPartedBytes) {
            return broken("the size of an object in parts is told wrong");
        }
        AKIDB_TRY(expect(key, content.bytes()));
        const std::string wrong = folder_ + "wrong";
        const Result<void> put =
            store_.put_file(wrong, {content, kPartedBytes, sha256_hex("something else")});
        if (put || put.error().code() != Code::kDataLoss || store_.head(wrong)) {
            return broken("a file that is not what it should be was put");
        }
        return {};
    }

    Result<void> lists_page_by_page() {
        std::vector<std::string> expected;
        for (size_t i = 0; i < 13; ++i) {
            expected.push_back(folder_ + "list/" + std::to_string(i % 3) + "/" + std::to_string(i));
            AKIDB_TRY(store_.put(expected.back(), "x", PutMode::kOverwrite));
        }
        AKIDB_TRY(store_.put(folder_ + "list-not/0", "x", PutMode::kOverwrite));
        std::sort(expected.begin(), expected.end());
        std::vector<std::string> found;
        for (bool is_last = false; !is_last && found.size() <= expected.size();) {
            AKIDB_TRY(const ObjectPage page,
                      store_.list({.prefix = folder_ + "list/",
                                   .after = found.empty() ? std::string() : found.back(),
                                   .limit = 5}));
            for (const ObjectFacts& object : page.objects) {
                found.push_back(object.key);
            }
            is_last = page.is_last;
        }
        if (found != expected) {
            return broken(std::to_string(found.size()) + " objects are listed, or others, where there are " +
                          std::to_string(expected.size()));
        }
        return {};
    }

    Result<void> removes() {
        const std::string key = folder_ + "gone";
        AKIDB_TRY(store_.put(key, "x", PutMode::kOverwrite));
        AKIDB_TRY(store_.remove(key));
        AKIDB_TRY(store_.remove(key));
        if (store_.head(key)) {
            return broken("what was removed is still there");
        }
        return remove_all();
    }

    Result<void> remove_all() {
        while (true) {
            AKIDB_TRY(const ObjectPage page, store_.list({.prefix = folder_}));
            for (const ObjectFacts& object : page.objects) {
                AKIDB_TRY(store_.remove(object.key));
            }
            if (page.is_last) {
                return {};
            }
        }
    }

  private:
    template <class T>
    static Error error_of(const Result<T>& outcome) {
        return outcome ? broken("success") : Error(outcome.error());
    }

    Result<void> expect(const std::string& key, const std::string& content) {
        AKIDB_TRY(const std::string got, store_.get(key, content.size()));
        return got == content ? Result<void>() : broken("an object has other bytes than were put");
    }

    static Result<void> expect_taken(const Result<void>& put) {
        if (put) {
            return broken("a create-only put replaced an object");
        }
        return put.error().code() == Code::kAlreadyExists ? Result<void>() : put;
    }

    Result<void> run_race(io::ThreadPool& writers, const std::string& key) {
        struct {
            Mutex mutex;
            CondVar ended;
            size_t running AKIDB_GUARDED_BY(mutex) = 0;
            std::vector<size_t> winners AKIDB_GUARDED_BY(mutex);
            std::string fault AKIDB_GUARDED_BY(mutex);
        } race;
        for (size_t writer = 0; writer < kWriters; ++writer) {
            {
                MutexLock lock(race.mutex);
                ++race.running;
            }
            const bool is_taken = writers.submit("race", [this, &race, &key, writer](const std::stop_token&) {
                const Result<void> put =
                    store_.put(key, "writer " + std::to_string(writer), PutMode::kCreateOnly);
                MutexLock lock(race.mutex);
                if (put) {
                    race.winners.push_back(writer);
                } else if (put.error().code() != Code::kAlreadyExists) {
                    race.fault = put.error().message();
                }
                --race.running;
                race.ended.notify_all();
            });
            AKIDB_ASSERT(is_taken);
        }
        std::string winner;
        {
            MutexLock lock(race.mutex);
            while (race.running > 0) {
                race.ended.wait(race.mutex);
            }
            if (!race.fault.empty() || race.winners.size() != 1) {
                return broken(race.fault.empty() ? std::to_string(race.winners.size()) + " of " +
                                                       std::to_string(kWriters) + " create-only writers won"
                                                 : race.fault);
            }
            winner = "writer " + std::to_string(race.winners.front());
        }
        return expect(key, winner);
    }

    ObjectStore& store_;
    io::Random& random_;
    const std::string folder_;
};

struct Promise {
    std::string_view sentence;
    Result<void> (Probe::*keeps)();
};

constexpr Promise kPromises[] = {
    {"what was put is read, at once and whole", &Probe::reads_what_was_written},
    {"what is not there is told so", &Probe::knows_what_is_not_there},
    {"a create-only put never replaces, and works again after a removal", &Probe::creates_only_once},
    {"of 8 create-only writers one wins, 20 times", &Probe::lets_one_writer_win},
    {"a create-only put of 8 MiB never replaces", &Probe::puts_eight_mebibytes_once},
    {"a range has the bytes of the object, and none beyond its end", &Probe::reads_ranges},
    {"a large file goes up in parts, and is refused when it changed", &Probe::puts_files_in_parts},
    {"lists are complete and in order, page by page", &Probe::lists_page_by_page},
    {"what is removed is gone", &Probe::removes},
};

}  // namespace

bool probe_store(ObjectStore& store, io::Random& random, FunctionRef<void(const Finding&)> told) {
    Probe probe(store, random);
    bool keeps_all = true;
    for (const Promise& promise : kPromises) {
        const Result<void> kept = (probe.*promise.keeps)();
        keeps_all = keeps_all && kept.has_value();
        told({promise.sentence, kept ? std::string() : kept.error().message()});
    }
    if (!keeps_all) {  // the last promise cleans up, if it comes so far
        static_cast<void>(probe.remove_all().has_value());
    }
    return keeps_all;
}

}  // namespace akidb::objects
