#include "rpc/grpc_tls.h"

#include <grpc/grpc_security.h>

#include <utility>

#include "base/mutex.h"

namespace akidb::rpc {
namespace {

/// The C++ interface of gRPC 1.51 reads a pair once, or watches files without looking whether they fit
/// together; the interface below it asks before each handshake.
class TlsCredentials final : public grpc::ServerCredentials {
  public:
    explicit TlsCredentials(const io::TlsSource& source)
        : source_(source),
          credentials_(grpc_ssl_server_credentials_create_with_options(
              grpc_ssl_server_credentials_create_options_using_config_fetcher(
                  source.current()->client_ca_pem.empty()
                      ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                      : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
                  &TlsCredentials::fetch, this))) {}
    ~TlsCredentials() override { grpc_server_credentials_release(credentials_); }

    void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

  private:
    int AddPortToServer(const std::string& address, grpc_server* server) override {
        return grpc_server_add_http2_port(server, address.c_str(), credentials_);
    }

    static grpc_ssl_certificate_config_reload_status fetch(void* user,
                                                           grpc_ssl_server_certificate_config** config) {
        auto& self = *static_cast<TlsCredentials*>(user);
        std::shared_ptr<const io::TlsIdentity> identity = self.source_.current();
        MutexLock lock(self.mutex_);
        if (identity == self.given_) {
            return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
        }
        const grpc_ssl_pem_key_cert_pair pair{identity->key_pem.reveal().c_str(),
                                              identity->certificate_pem.c_str()};
        // Without authorities gRPC 1.51 stops at an assertion, with an empty list at an error. Where no
        // certificate is asked for, it looks at none, so anything that is one will do.
        const std::string& roots =
            identity->client_ca_pem.empty() ? identity->certificate_pem : identity->client_ca_pem;
        *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
        self.given_ = std::move(identity);
        return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
    }

    const io::TlsSource& source_;
    Mutex mutex_;
    std::shared_ptr<const io::TlsIdentity> given_ AKIDB_GUARDED_BY(mutex_);
    grpc_server_credentials* credentials_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> make_tls_credentials(const io::TlsSource& source) {
    return std::make_shared<TlsCredentials>(source);
}

}  // namespace akidb::rpc
