#include <openssl/ssl.h>

#include <boost/asio/ssl.hpp>

#include "base/mutex.h"
#include "rest/http_connection.h"
#include "rest/http_connection_impl.h"

namespace akidb::rest {
namespace {

namespace ssl = boost::asio::ssl;

using Context = std::shared_ptr<ssl::context>;

/// HTTP/1.1 is all that is spoken here: a client that offers protocols and not this one is told at once.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes,
                    const unsigned char* offered, unsigned offered_bytes, void*) {
    constexpr std::string_view kOnly = "\x08http/1.1";
    unsigned char* found = nullptr;
    const int outcome =
        SSL_select_next_proto(&found, chosen_bytes, reinterpret_cast<const unsigned char*>(kOnly.data()),
                              static_cast<unsigned>(kOnly.size()), offered, offered_bytes);
    *chosen = found;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<Context> make_context(const io::TlsIdentity& identity) {
    try {
        auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
        SSL_CTX* raw = context->native_handle();
        SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
        SSL_CTX_set_options(
            raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
        // Of TLS 1.2: what keeps old recordings closed when the key gets out, and authenticates what it
        // encrypts.
        SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
        SSL_CTX_set_alpn_select_cb(raw, &choose_protocol, nullptr);
        constexpr unsigned char kSessions[] = "akidb";
        SSL_CTX_set_session_id_context(raw, kSessions, sizeof kSessions - 1);
        context->use_certificate_chain(asio::buffer(identity.certificate_pem));
        context->use_private_key(asio::buffer(identity.key_pem.reveal()), ssl::context::pem);
        if (!identity.client_ca_pem.empty()) {
            context->add_certificate_authority(asio::buffer(identity.client_ca_pem));
            context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
        }
        return context;
    } catch (const boost::system::system_error& fault) {
        return invalid_argument("tls.certificate_file", std::string("TLS cannot be set up: ") + fault.what());
    }
}

/// Holds on to the context that it was begun with, which a reload may have replaced.
class TlsStream {
  public:
    static constexpr ssl::stream_base::handshake_type server = ssl::stream_base::server;
    using executor_type = tcp::socket::executor_type;
    using next_layer_type = tcp::socket;

    TlsStream(tcp::socket socket, Context context)
        : context_(std::move(context)),
          stream_(std::make_unique<ssl::stream<tcp::socket>>(std::move(socket), *context_)) {}

    executor_type get_executor() { return stream_->get_executor(); }
    tcp::socket& next_layer() { return stream_->next_layer(); }
    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        return stream_->async_read_some(buffers, std::forward<Token>(token));
    }
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        return stream_->async_write_some(buffers, std::forward<Token>(token));
    }
    template <class Token>
    auto async_handshake(ssl::stream_base::handshake_type type, Token&& token) {
        return stream_->async_handshake(type, std::forward<Token>(token));
    }
    template <class Token>
    auto async_shutdown(Token&& token) {
        return stream_->async_shutdown(std::forward<Token>(token));
    }

  private:
    Context context_;
    std::unique_ptr<ssl::stream<tcp::socket>> stream_;
};

}  // namespace

/// The context of the identity in use: made anew by the first connection after a reload.
class TlsContexts {
  public:
    TlsContexts(const io::TlsSource& source, std::shared_ptr<const io::TlsIdentity> identity, Context context)
        : source_(source), identity_(std::move(identity)), context_(std::move(context)) {}

    Context current() AKIDB_EXCLUDES(mutex_) {
        std::shared_ptr<const io::TlsIdentity> identity = source_.current();
        MutexLock lock(mutex_);
        if (identity != identity_) {
            // An identity was checked before it came into use; should OpenSSL refuse it all the same, the
            // last one goes on.
            if (Result<Context> made = make_context(*identity)) {
                context_ = std::move(*made);
            }
            identity_ = std::move(identity);
        }
        return context_;
    }

  private:
    const io::TlsSource& source_;
    Mutex mutex_;
    std::shared_ptr<const io::TlsIdentity> identity_ AKIDB_GUARDED_BY(mutex_);
    Context context_ AKIDB_GUARDED_BY(mutex_);
};

Result<std::shared_ptr<TlsContexts>> make_tls_contexts(const io::TlsSource& source) {
    std::shared_ptr<const io::TlsIdentity> identity = source.current();
    AKIDB_TRY(Context context, make_context(*identity));
    return std::make_shared<TlsContexts>(source, std::move(identity), std::move(context));
}

void start_tls_connection(Loop& loop, tcp::socket socket, ConnectionBook::Seat seat) {
    start(loop, TlsStream(std::move(socket), loop.shared.tls->current()), std::move(seat));
}

}  // namespace akidb::rest
