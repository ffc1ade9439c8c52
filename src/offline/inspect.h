// The views of inspect, one for each kind of file. Each prints what it sees and answers whether all of it is
// whole; an error means that the file is damaged as a whole (kDataLoss, with the offset) or cannot be read.
#pragma once

#include <string>

#include "base/result.h"
#include "offline/verbs.h"

namespace akidb::offline {

enum class Verdict { kWhole, kDamaged };

Result<Verdict> inspect_log(io::FileSystem& files, const std::string& path, bool json, Print print);
Result<Verdict> inspect_manifest(io::FileSystem& files, const std::string& path, bool json, Print print);
Result<Verdict> inspect_segment(io::FileSystem& files, const std::string& path, bool json, Print print);
/// Every file that counts, every checksum; judged as the server's start would.
Result<Verdict> inspect_collection(io::FileSystem& files, const std::string& directory, bool json,
                                   Print print);

}  // namespace akidb::offline
