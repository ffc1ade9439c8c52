// CollectionCopy: one collection in an object store, as its last uploaded checkpoint:
//   <copy>/manifest-<version>   which files it has: a manifest of backup/manifest.h with this one collection
//   <copy>/blobs/<sha256>       the files, each under what it holds
//   <copy>/cold/<version>       by which searches are answered without the files of that version
//                               (engine/cold_format.h); it can be lacking
// The version is that of the manifest among those files. Whoever knows which one counts reads that one, so a
// put of before that arrives late takes nothing's place.
// A file counts as there when the store tells its size, and its SHA-256 where it keeps one, and it was put by
// this or read from the manifest of before. The manifest is put after all files were found so; whoever drops
// what is local asks verify() first. Each copy has a name of its own that no other server uses, so one that
// was restored from a backup never touches it. What a list of the store shows may be of before, so whoever
// removes tells what may be there besides: names within the copy, which are told before they are sent. Blocks
// in requests; thread-compatible.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "backup/manifest.h"
#include "base/function_ref.h"
#include "io/executor.h"
#include "io/file_system.h"
#include "objects/object_store.h"

namespace akidb::backup {

class CollectionCopy {
  public:
    /// The store must outlive it.
    CollectionCopy(objects::ObjectStore& store, const Uuid& copy);

    struct Source {
        std::string name;  // relative to the directory of the collection
        const io::ReadFile& file;
    };
    struct Put {
        std::vector<BackupFile> files;
        uint64_t sent_bytes = 0;
    };
    using Note = FunctionRef<Result<void>(const std::vector<std::string>& names)>;
    /// `described` is the collection without its files, of which one is a manifest; `known` are those of the
    /// copy as it is, which were verified. `note` is told all names of this version before the first is sent.
    /// At success every file and then the manifest are there, verified. kUnavailable when it is to stop;
    /// errors of the store and of `note`.
    Result<Put> put(BackedUpCollection described, const std::vector<Source>& sources,
                    const std::vector<BackupFile>& known, Note note, const std::stop_token& stop);
    /// kDataLoss when there is none, too: it was there once.
    Result<BackedUpCollection> read(uint64_t version);
    /// That each file is there, by what the store tells. kDataLoss names the object that is not.
    Result<void> verify(const std::vector<BackupFile>& files);
    /// Of a version with these files, within the copy: its manifest, its cold index, the files.
    static std::vector<std::string> names_of(uint64_t version, const std::vector<BackupFile>& files);
    /// All but this version and its files: those of `sent`, whatever a list shows, and what it shows. At
    /// success those of `sent` that went.
    Result<std::vector<std::string>> remove_others(uint64_t version, const std::vector<BackupFile>& named,
                                                   const std::vector<std::string>& sent);
    Result<void> remove_all(const std::vector<std::string>& sent);
    /// All files into `directory`, which has log/ and seg/, each checked by its SHA-256 and durable, as many
    /// at once as the executor does. What is there after an error is of no use.
    Result<void> fetch(io::FileSystem& files, io::Executor& executor, const std::string& directory,
                       const std::vector<BackupFile>& wanted, const std::stop_token& stop);
    /// A file of the copy to read from; it must not outlive the store.
    std::unique_ptr<io::ReadFile> open(const BackupFile& file);
    std::string cold_key(uint64_t version) const;
    Result<bool> has_cold_index(uint64_t version);
    /// Bytes sent.
    Result<uint64_t> put_cold_index(uint64_t version, const io::ReadFile& index);

  private:
    std::string key_of(const std::string& sha256) const;
    std::string manifest_key(uint64_t version) const;
    Result<std::vector<std::string>> remove_but(const std::set<std::string>& kept,
                                                const std::vector<std::string>& sent);
    Result<void> check(const BackupFile& file, bool& is_known);
    Result<void> fetch_file(io::FileSystem& files, const std::string& path, const BackupFile& wanted,
                            const std::stop_token& stop);

    objects::ObjectStore& store_;
    const std::string prefix_;
    const Uuid copy_;
};

}  // namespace akidb::backup
