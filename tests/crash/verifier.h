// Verifier: reads a restarted server in every way there is (by id, by counting with and without a filter, by
// exact search for everything, by default search for each group), judges each against the ledger, and holds
// the ways against each other. What it saw settles the ledger. Not thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "client.h"
#include "documents.h"
#include "ledger.h"

namespace akidb::crash {

struct Tally {
    uint64_t lost = 0;
    uint64_t ghosts = 0;
    uint64_t half_batches = 0;
    uint64_t disagreements = 0;  // a way of reading that tells other than reading by id
    uint64_t searches = 0;       // by default search, of documents that are there
    uint64_t misses = 0;         // of these, not found: the graph is approximate
    uint64_t linked_rows_max = 0;
    uint64_t covered_sequence_max = 0;
    uint64_t rewrites = 0;  // seen between two checks at least: rows are fewer than before
    uint64_t rows_before = 0;

    bool is_clean() const {
        return lost == 0 && ghosts == 0 && half_batches == 0 && disagreements == 0 &&
               misses * 100 <= searches;
    }
};

class Verifier {
  public:
    Verifier(support::Endpoint server, Ledger& documents, Slots slots, Tally& tally)
        : connection_(std::move(server)), documents_(documents), slots_(slots), tally_(tally) {}

    /// Throws std::runtime_error when the server refuses to be read.
    void check_all();

  private:
    using Stamps =
        std::map<std::pair<size_t, size_t>, uint64_t>;  // by group and member; absent ones are not in

    Json ask(std::string_view method, const std::string& path, const Json& body = nullptr);
    void note(uint64_t& counter, const std::string& what);
    bool take(const Json& document, const char* way, Stamps& stamps);
    Stamps read_by_ids();
    void judge_groups(const Stamps& stamps);
    void check_counts(const Stamps& stamps);
    void check_exact_search(const Stamps& stamps);
    void check_default_search(const Stamps& stamps);
    void check_collections();
    uint64_t stamp_in_slot(size_t slot);
    void judge_slot(size_t slot, const char* what, Ledger& ledger, uint64_t stamp);
    void note_progress();

    support::HttpConnection connection_;
    Ledger& documents_;
    Slots slots_;
    Tally& tally_;
    std::vector<uint64_t> group_stamps_;
    size_t printed_ = 0;
};

}  // namespace akidb::crash
