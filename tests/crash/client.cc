#include "client.h"

#include <cstdio>
#include <initializer_list>
#include <random>
#include <utility>

#include "documents.h"

namespace akidb::crash {
namespace {

using Random = std::mt19937_64;

const std::string kDocuments = std::string("/api/v1/collections/") + kCollection + "/documents";

Answer upsert(support::HttpConnection& connection, size_t group, uint64_t stamp) {
    Json documents = Json::array();
    for (size_t member = 0; member < members_of(group); ++member) {
        documents.push_back(document_of({group, member}, stamp));
    }
    return exchange(connection, "PUT", kDocuments, Json{{"documents", std::move(documents)}}.dump());
}

Answer remove_by_ids(support::HttpConnection& connection, size_t group) {
    if (members_of(group) == 1 && group % 2 == 0) {
        return exchange(connection, "DELETE", kDocuments + "/" + id_of({group, 0}).dump());
    }
    Json ids = Json::array();
    for (size_t member = 0; member < members_of(group); ++member) {
        ids.push_back(id_of({group, member}));
    }
    return exchange(connection, "POST", kDocuments + "/delete", Json{{"ids", std::move(ids)}}.dump());
}

Answer remove_by_filter(support::HttpConnection& connection, size_t group) {
    return exchange(connection, "POST", kDocuments + "/delete",
                    Json{{"filter", filter_of("group", group)}}.dump());
}

}  // namespace

bool ensure_open(support::HttpConnection& connection) {
    try {
        if (!connection.is_open()) {
            connection.open();
        }
        return true;
    } catch (const support::HttpFault&) {
        return false;
    }
}

Answer exchange(support::HttpConnection& connection, std::string_view method, const std::string& path,
                const std::string& body) {
    std::string message = std::string(method) + " " + path + " HTTP/1.1\r\nHost: akidb\r\n";
    message += body.empty() ? "" : "Content-Type: application/json\r\n";
    message += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    try {
        if (!ensure_open(connection) || !connection.send_bytes(message)) {
            return {};
        }
        support::HttpReply reply = connection.read_reply();
        if (reply.closes) {
            connection.close();
        }
        return {reply.status, std::move(reply.body)};
    } catch (const support::HttpFault&) {
        return {};
    }
}

Outcome outcome_of(const Answer& answer, std::atomic<uint64_t>& surprises) {
    if (answer.status == 0) {
        return Outcome::kUnknown;
    }
    if (answer.status >= 200 && answer.status < 300) {
        return Outcome::kAcknowledged;
    }
    if (answer.status != 429 && answer.status != 503) {
        std::fprintf(stderr, "unexpected answer %d: %s\n", answer.status, answer.body.c_str());
        ++surprises;
    }
    return Outcome::kRefused;
}

void write_documents(const ClientOptions& options, Ledger& ledger, const std::atomic<bool>& stop,
                     std::atomic<uint64_t>& surprises) {
    Random random(options.seed * 1000 + options.number);
    support::HttpConnection connection(options.server);
    while (!stop.load() && ensure_open(connection)) {
        size_t group = random() % kGroups;
        if (random() % 10 < 7) {
            group = group / options.clients * options.clients + options.number;
            group = group < kGroups ? group : options.number;
        }
        const uint64_t kind = random() % 10;
        const Ticket ticket = kind < 7 ? ledger.begin_write(group) : ledger.begin_delete(group);
        const Answer answer = kind < 7   ? upsert(connection, group, ticket.stamp)
                              : kind < 9 ? remove_by_ids(connection, group)
                                         : remove_by_filter(connection, group);
        const Outcome outcome = outcome_of(answer, surprises);
        if (outcome == Outcome::kUnknown) {
            return;
        }
        ledger.end(ticket, outcome);
    }
}

void make_collections(const ClientOptions& options, Slots slots, const std::atomic<bool>& stop,
                      std::atomic<uint64_t>& surprises) {
    Random random(options.seed * 1000 + options.number);
    support::HttpConnection connection(options.server);
    const auto was_answered = [&](const Answer& answer,
                                  std::initializer_list<std::pair<Ledger*, Ticket>> writes) {
        const Outcome outcome = outcome_of(answer, surprises);
        for (const auto& [ledger, ticket] : writes) {
            if (outcome != Outcome::kUnknown) {
                ledger->end(ticket, outcome);
            }
        }
        return outcome != Outcome::kUnknown;
    };
    bool goes_on = true;
    while (goes_on && !stop.load() && ensure_open(connection)) {
        const size_t slot = random() % slots.collections.things();
        if (slots.collections.latest(slot) == kAbsent) {
            const Ticket made = slots.collections.begin_write(slot);
            goes_on = was_answered(
                exchange(connection, "POST", "/api/v1/collections", slot_body(slot, made.stamp).dump()),
                {{&slots.collections, made}});
        } else if (slots.contents.latest(slot) == kAbsent || random() % 2 == 0) {
            const Ticket filled = slots.contents.begin_write(slot);
            goes_on = was_answered(exchange(connection, "PUT", slot_path(slot) + "/documents",
                                            slot_documents(filled.stamp).dump()),
                                   {{&slots.contents, filled}});
        } else {
            const Ticket removed = slots.collections.begin_delete(slot);
            const Ticket emptied = slots.contents.begin_delete(slot);
            goes_on = was_answered(exchange(connection, "DELETE", slot_path(slot)),
                                   {{&slots.collections, removed}, {&slots.contents, emptied}});
        }
    }
}

}  // namespace akidb::crash
