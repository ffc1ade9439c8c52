#include "io/tls_identity.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fstream>
#include <optional>

#include "io/private_file.h"

namespace akidb::io {
namespace {

constexpr uint64_t kPemBytesMax = 1 << 20;

using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
using PrivateKey = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

Bio bio_of(const std::string& pem) {
    return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
}

/// Without this OpenSSL asks for the passphrase on the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

std::vector<Certificate> certificates_of(const std::string& pem) {
    std::vector<Certificate> found;
    const Bio bio = bio_of(pem);
    while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, &no_passphrase, nullptr)) {
        found.emplace_back(next, &X509_free);
    }
    ERR_clear_error();  // the end of the file counts as one
    return found;
}

uint64_t seconds_of(const ASN1_TIME* time) {
    std::tm parts{};
    return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<uint64_t>(timegm(&parts)) : 0;
}

/// Public: certificates may be read by everybody.
Result<std::string> read_public(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(kPemBytesMax + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad() || (file.gcount() == 0 && !file.eof())) {
        return Error(Code::kNotFound, "cannot be read");
    }
    text.resize(static_cast<size_t>(file.gcount()));
    if (text.size() > kPemBytesMax) {
        return Error(Code::kDataLoss, "is larger than " + std::to_string(kPemBytesMax) + " bytes");
    }
    return text;
}

std::string why_not_now(const X509* certificate, uint64_t now_s) {
    if (seconds_of(X509_get0_notAfter(certificate)) <= now_s) {
        return "has expired";
    }
    return seconds_of(X509_get0_notBefore(certificate)) > now_s ? "is not valid yet" : "";
}

/// Of both files, as far as they could be read.
struct Reading {
    TlsIdentity identity;
    std::vector<Certificate> chain;
    std::vector<TlsFault> faults;

    void read_certificate(const std::string& path, uint64_t now_s) {
        Result<std::string> text = read_public(path);
        if (!text) {
            faults.push_back({TlsFile::kCertificate, text.error().message()});
            return;
        }
        identity.certificate_pem = std::move(*text);
        chain = certificates_of(identity.certificate_pem);
        if (chain.empty()) {
            faults.push_back({TlsFile::kCertificate, "holds no certificate in PEM"});
            return;
        }
        identity.not_after_s = seconds_of(X509_get0_notAfter(chain.front().get()));
        if (std::string why = why_not_now(chain.front().get(), now_s); !why.empty()) {
            faults.push_back({TlsFile::kCertificate, std::move(why)});
        }
    }

    void read_key(const std::string& path) {
        Result<std::string> text = read_private_file(path, kPemBytesMax);
        if (!text) {
            faults.push_back({TlsFile::kKey, text.error().message()});
            return;
        }
        identity.key_pem = Secret(std::move(*text));
        const Bio bio = bio_of(identity.key_pem.reveal());
        const PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr),
                             &EVP_PKEY_free);
        if (key == nullptr) {
            faults.push_back({TlsFile::kKey, "holds no private key in PEM without a passphrase"});
        } else if (!chain.empty() && X509_check_private_key(chain.front().get(), key.get()) != 1) {
            faults.push_back({TlsFile::kKey, "is not the key of the certificate"});
        }
        ERR_clear_error();
    }

    void read_client_ca(const std::string& path, uint64_t now_s) {
        Result<std::string> text = read_public(path);
        if (!text) {
            faults.push_back({TlsFile::kClientCa, text.error().message()});
            return;
        }
        identity.client_ca_pem = std::move(*text);
        const std::vector<Certificate> authorities = certificates_of(identity.client_ca_pem);
        if (authorities.empty()) {
            faults.push_back({TlsFile::kClientCa, "holds no certificate in PEM"});
        }
        for (const Certificate& authority : authorities) {
            if (std::string why = why_not_now(authority.get(), now_s); !why.empty()) {
                faults.push_back({TlsFile::kClientCa, "an authority in it " + why});
            }
        }
    }
};

}  // namespace

TlsCheck check_tls_files(const TlsFiles& files, uint64_t now_ms) {
    Reading reading;
    reading.read_certificate(files.certificate, now_ms / 1000);
    reading.read_key(files.key);
    if (!files.client_ca.empty()) {
        reading.read_client_ca(files.client_ca, now_ms / 1000);
    }
    TlsCheck check{.identity = nullptr, .faults = std::move(reading.faults)};
    if (check.faults.empty()) {
        check.identity = std::make_shared<const TlsIdentity>(std::move(reading.identity));
    }
    return check;
}

TlsSource::Outcome TlsSource::reload(uint64_t now_ms) {
    TlsCheck check = check_tls_files(files_, now_ms);
    if (check.identity != nullptr) {
        refused_.clear();
        const std::shared_ptr<const TlsIdentity> before = current();
        if (before->certificate_pem == check.identity->certificate_pem &&
            before->key_pem == check.identity->key_pem &&
            before->client_ca_pem == check.identity->client_ca_pem) {
            return {};
        }
        current_.store(std::move(check.identity));
        return {Reload::kTaken, ""};
    }
    std::string why;
    for (const TlsFault& fault : check.faults) {
        const std::string& path = fault.file == TlsFile::kCertificate ? files_.certificate
                                  : fault.file == TlsFile::kKey       ? files_.key
                                                                      : files_.client_ca;
        why.append(why.empty() ? "" : "; ");
        why.append(fault.why.starts_with(path) ? "" : path + " ").append(fault.why);
    }
    if (why == refused_) {
        return {};
    }
    refused_ = why;
    return {Reload::kRefused, why};
}

}  // namespace akidb::io
