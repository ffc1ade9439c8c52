// TlsIdentity: what a server shows to clients over TLS: certificate, key, and which authorities its clients
// must be of. Read from PEM files and checked as a whole (the key belongs to the certificate, nothing
// expired, the key is private), so that both protocols use the same and neither finds a fault at a handshake.
// TlsSource holds the one in use and takes over a changed one when it is whole: connections that are open
// keep theirs. Identities: immutable. TlsSource: current() from any thread, reload() from one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/published.h"
#include "base/result.h"
#include "base/secret.h"
#include "io/clock.h"

namespace akidb::io {

struct TlsFiles {
    std::string certificate;
    std::string key;
    std::string client_ca;  // may be empty
};

struct TlsIdentity {
    std::string certificate_pem;
    Secret key_pem;
    std::string client_ca_pem;  // empty: clients show no certificate
    uint64_t not_after_s = 0;   // since 1970, of the server's certificate
};

enum class TlsFile : uint8_t { kCertificate, kKey, kClientCa };
struct TlsFault {
    TlsFile file;
    std::string why;  // "has expired", … without the file's name
};
struct TlsCheck {
    std::shared_ptr<const TlsIdentity> identity;  // null when there are faults
    std::vector<TlsFault> faults;
};
/// Every fault at once. `now_ms` is for what has expired.
TlsCheck check_tls_files(const TlsFiles& files, uint64_t now_ms);

class TlsSource {
  public:
    TlsSource(TlsFiles files, std::shared_ptr<const TlsIdentity> first)
        : files_(std::move(files)), current_(std::move(first)) {}

    std::shared_ptr<const TlsIdentity> current() const { return current_.load(); }

    enum class Reload : uint8_t { kUnchanged, kTaken, kRefused };
    struct Outcome {
        Reload reload = Reload::kUnchanged;
        std::string why;  // refused: each fault with its file
    };
    /// kRefused only when the files differ from those refused before: two files are not exchanged in one
    /// moment, and who polls should not repeat himself.
    Outcome reload(uint64_t now_ms);

  private:
    const TlsFiles files_;
    Published<TlsIdentity> current_;
    std::string refused_;
};

}  // namespace akidb::io
