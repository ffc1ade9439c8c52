// make_tls_credentials: TLS for the gRPC port by an io::TlsSource: each handshake shows the identity that is
// in use at that moment, so a renewed certificate needs no restart and open connections are left alone. gRPC
// offers TLS 1.2 and 1.3. Thread-safe; what is made and the source outlive the server.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "io/tls_identity.h"

namespace akidb::rpc {

std::shared_ptr<grpc::ServerCredentials> make_tls_credentials(const io::TlsSource& source);

}  // namespace akidb::rpc
