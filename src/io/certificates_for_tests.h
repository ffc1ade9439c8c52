// Certificates made while a test runs: an authority and what it signs, for 127.0.0.1 and localhost, by ECDSA
// over P-256, valid for a day or not any more. For tests only; not thread-safe.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace akidb::io {

class TestAuthority {
  public:
    struct Pair {
        std::string certificate;
        std::string key;
    };

    TestAuthority() : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
        fill(certificate_, key_, "akidb test authority", 86'400);
        X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
        extend(certificate_, NID_basic_constraints, "critical,CA:TRUE");
        X509_sign(certificate_, key_, EVP_sha256());
    }
    ~TestAuthority() {
        X509_free(certificate_);
        EVP_PKEY_free(key_);
    }
    TestAuthority(const TestAuthority&) = delete;
    TestAuthority& operator=(const TestAuthority&) = delete;

    std::string pem() const { return pem_of(certificate_); }

    /// A negative lifetime makes one that has expired.
    Pair issue(const std::string& name, long lifetime_s = 86'400) {
        EVP_PKEY* key = EVP_EC_gen("P-256");
        X509* certificate = X509_new();
        fill(certificate, key, name, lifetime_s);
        X509_set_issuer_name(certificate, X509_get_subject_name(certificate_));
        extend(certificate, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
        X509_sign(certificate, key_, EVP_sha256());
        BIO* bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
        Pair pair{pem_of(certificate), text_of(bio)};
        X509_free(certificate);
        EVP_PKEY_free(key);
        return pair;
    }

  private:
    void fill(X509* certificate, EVP_PKEY* key, const std::string& name, long lifetime_s) {
        X509_set_version(certificate, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * 86'400);
        X509_gmtime_adj(X509_getm_notAfter(certificate), lifetime_s);
        X509_set_pubkey(certificate, key);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    }
    static void extend(X509* certificate, int extension, const char* value) {
        X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, nullptr, extension, value);
        ASSERT_NE(made, nullptr);
        X509_add_ext(certificate, made, -1);
        X509_EXTENSION_free(made);
    }
    static std::string text_of(BIO* bio) {
        char* bytes = nullptr;
        const long size = BIO_get_mem_data(bio, &bytes);
        std::string text(bytes, static_cast<size_t>(size));
        BIO_free(bio);
        return text;
    }
    static std::string pem_of(X509* certificate) {
        BIO* bio = BIO_new(BIO_s_mem());
        PEM_write_bio_X509(bio, certificate);
        return text_of(bio);
    }

    long serial_ = 0;
    EVP_PKEY* key_;
    X509* certificate_;
};

/// Replaced in one step, as a renewal should be; with mode 0600.
inline void put_private_file(const std::string& path, const std::string& content) {
    const std::string temporary = path + ".new";
    std::filesystem::remove(temporary);
    std::ofstream(temporary, std::ios::binary) << content;
    ASSERT_EQ(::chmod(temporary.c_str(), 0600), 0);
    std::filesystem::rename(temporary, path);
}

}  // namespace akidb::io
