// Spoils the graphs of a stopped server for a drill: gives each row the rows behind it for neighbours,
// whoever they are, in files that are right in every checksum. Searches go on and find little, which nothing
// but the recall probe can notice. Usage: spoil_graph DATA_DIRECTORY
#include <cstdio>
#include <cstring>
#include <string>

#include "io/posix_file_system.h"
#include "storage/layout.h"
#include "storage/manifest.h"
#include "storage/segment.h"

namespace akidb {
namespace {

Result<void> spoil(io::FileSystem& files, const std::string& directory) {
    AKIDB_TRY(std::optional<storage::Manifest> manifest, storage::read_manifest(files, directory));
    if (!manifest || !manifest->graph) {
        return {};
    }
    const std::string segments = directory + "/seg";
    AKIDB_TRY(const storage::GraphLists lists,
              storage::open_graph_segment(files, segments, *manifest->graph, manifest->collection));
    ++manifest->version;
    AKIDB_TRY(manifest->graph,
              storage::write_graph_segment(
                  files, segments, storage::graph_name(manifest->version), manifest->collection,
                  lists.row_count, lists.degree, [&](uint32_t begin, uint32_t end, std::string& out) {
                      for (uint32_t row = begin; row < end; ++row) {
                          for (uint32_t i = 1; i <= lists.degree; ++i) {
                              const auto behind = static_cast<uint32_t>((row + i) % lists.row_count);
                              out.append(reinterpret_cast<const char*>(&behind), sizeof(behind));
                          }
                      }
                  }));
    AKIDB_TRY(storage::write_manifest(files, directory, *manifest));
    std::printf("%s: the graph of %llu rows is spoilt\n", directory.c_str(),
                static_cast<unsigned long long>(lists.row_count));
    return {};
}

Result<void> spoil_all(const std::string& data) {
    const auto files = io::make_posix_file_system();
    AKIDB_TRY(const std::vector<io::DirectoryEntry> entries, files->list(data + "/collections"));
    for (const io::DirectoryEntry& entry : entries) {
        AKIDB_TRY(spoil(*files, data + "/collections/" + entry.name));
    }
    return {};
}

}  // namespace
}  // namespace akidb

int main(int count, char** words) {
    if (count != 2) {
        std::fprintf(stderr, "usage: spoil_graph DATA_DIRECTORY\n");
        return 64;
    }
    const akidb::Result<void> done = akidb::spoil_all(words[1]);
    if (!done) {
        std::fprintf(stderr, "spoil_graph: %s\n", done.error().message().c_str());
    }
    return done ? 0 : 1;
}
