// MemoryUse: what collections take of the process's memory, in bytes that were touched. Vectors and metadata
// that lie in mapped files are not among them: those pages are the system's, which takes them back when it
// needs them. Plain values.
#pragma once

#include <cstdint>

namespace akidb::engine {

struct MemoryUse {
    uint64_t vectors = 0;           // of rows that lie in no file yet
    uint64_t documents = 0;         // of all rows: versions, deaths; ids and metadata that lie in no file yet
    uint64_t graph = 0;             // neighbour lists and codes, and what the builder keeps beside them
    uint64_t ids = 0;               // the map from ids to rows
    uint64_t metadata_indexes = 0;  // also in stats by field
    uint64_t cold_codes = 0;        // of collections whose files are in an object store alone
    uint64_t heap = 0;              // what the allocator gave for all but the graph, touched or not

    MemoryUse& operator+=(const MemoryUse& other) {
        vectors += other.vectors;
        documents += other.documents;
        graph += other.graph;
        ids += other.ids;
        metadata_indexes += other.metadata_indexes;
        cold_codes += other.cold_codes;
        heap += other.heap;
        return *this;
    }
};

}  // namespace akidb::engine
