// ColdSearches: searches of collections whose files are in an object store alone, by ranges of their cold
// index (engine/cold_index.h). The codes of a collection are read by the first search, while the others of it
// wait, and kept until the memory given is wanted for another's; those that were not asked for the longest
// make room. What a running search holds stays until it ends. An index that is not there or is damaged is not
// asked for again before there is another one. Thread-safe; blocks in requests.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "engine/cold_index.h"
#include "service/range_reader.h"

namespace akidb::service {

class ColdSearches {
  public:
    ColdSearches(const io::Clock& clock, io::Executor& readers, uint64_t bytes_max)
        : clock_(clock), readers_(readers), bytes_max_(bytes_max) {}

    struct Question {
        engine::ColdIdentity identity;
        RangeReader::Source source;
        uint64_t until_us = 0;  // by the monotonic clock
    };
    /// `request` is a valid one that engine::is_cold_search. kDeadlineExceeded at `until`; any other error:
    /// there is no answer this way.
    Result<model::SearchReply> search(const Question& question, const model::SearchRequest& request)
        AKIDB_EXCLUDES(mutex_);
    /// The collection was opened or deleted.
    void forget(const Uuid& collection) AKIDB_EXCLUDES(mutex_);
    /// What is kept, and what is being read to be kept.
    uint64_t bytes() const AKIDB_EXCLUDES(mutex_);

  private:
    using Index = std::shared_ptr<const engine::ColdIndex>;
    struct Kept {
        uint64_t version = 0;
        Index index{};
        std::optional<Error> fault{};  // why there is none of this version
        bool is_reading = false;
        bool is_forgotten = false;  // while it was read
        uint64_t bytes = 0;
        uint64_t used = 0;  // the turn of the last search
    };

    Result<Index> find(const Question& question, RangeReader& reader) AKIDB_EXCLUDES(mutex_);
    /// The index, or nothing for the caller to read it: then it is marked as being read.
    Result<Index> take(const Question& question) AKIDB_EXCLUDES(mutex_);
    Result<void> reserve(Kept& kept, uint64_t bytes) AKIDB_REQUIRES(mutex_);
    void keep(const engine::ColdIdentity& identity, const Result<Index>& read) AKIDB_EXCLUDES(mutex_);
    void give_up(const engine::ColdIdentity& identity, const Error& error) AKIDB_EXCLUDES(mutex_);
    uint64_t count_bytes() const AKIDB_REQUIRES(mutex_);

    const io::Clock& clock_;
    io::Executor& readers_;
    const uint64_t bytes_max_;
    mutable Mutex mutex_;
    CondVar changed_;
    std::map<Uuid, Kept> kept_ AKIDB_GUARDED_BY(mutex_);
    uint64_t turn_ AKIDB_GUARDED_BY(mutex_) = 0;
};

}  // namespace akidb::service
