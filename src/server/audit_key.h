// The pair that signs the audit log (access/audit_line.h), in the data directory's folder audit: signing.key
// for the server alone, public.key for everybody. Made at the first start. Not thread-safe: once, while
// starting.
#pragma once

#include <string>

#include "access/audit_line.h"
#include "base/result.h"
#include "io/file_system.h"
#include "io/random.h"

namespace akidb::server {

/// `directory` is made when it is not there. kPermissionDenied when others may read the key; kDataLoss when
/// it is none.
Result<access::AuditKey> load_audit_key(io::FileSystem& files, io::Random& random,
                                        const std::string& directory);

}  // namespace akidb::server
