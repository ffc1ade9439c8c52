// exchange: one request and its answer on a kept connection, never sent twice: after a kill nobody may know
// whether the first was applied. start_client writes documents until told to stop or until its server is
// gone.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "ledger.h"
#include "support/http_client.h"

namespace akidb::crash {

struct Answer {
    int status = 0;  // 0: none came, or not all of it
    std::string body;
};

/// False when nobody listens (any more).
bool ensure_open(support::HttpConnection& connection);
Answer exchange(support::HttpConnection& connection, std::string_view method, const std::string& path,
                const std::string& body = {});
/// What an answer says about its write. Any status but success, 429 and 503 is a fault of the test or the
/// server; it is counted.
Outcome outcome_of(const Answer& answer, std::atomic<uint64_t>& surprises);

struct ClientOptions {
    support::Endpoint server;
    uint64_t seed = 0;
    size_t number = 0;
    size_t clients = 1;
};

/// Upserts and deletes groups of documents, its own ones mostly, until `stop` or until the server is gone.
void write_documents(const ClientOptions& options, Ledger& ledger, const std::atomic<bool>& stop,
                     std::atomic<uint64_t>& surprises);
/// Deletes the collections "slot<thing>" and makes them anew under the same names, with documents in them: in
/// `collections` a thing is the collection, whose stamp is the name of a metadata index; in `contents` it is
/// what the collection holds.
struct Slots {
    Ledger& collections;
    Ledger& contents;
};
void make_collections(const ClientOptions& options, Slots slots, const std::atomic<bool>& stop,
                      std::atomic<uint64_t>& surprises);

}  // namespace akidb::crash
