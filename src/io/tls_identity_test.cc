#include "io/tls_identity.h"

#include <gtest/gtest.h>

#include <sstream>

#include "io/certificates_for_tests.h"

namespace akidb::io {
namespace {

class TlsIdentityTest : public ::testing::Test {
  protected:
    TlsIdentityTest() {
        root_ = (std::filesystem::temp_directory_path() / "akidb_tls_XXXXXX").string();
        EXPECT_NE(::mkdtemp(root_.data()), nullptr);
        files_ = {root_ + "/certificate.pem", root_ + "/key.pem", ""};
        put(authority_.issue("first"));
    }
    ~TlsIdentityTest() override { std::filesystem::remove_all(root_); }

    void put(const TestAuthority::Pair& pair) {
        put_private_file(files_.certificate, pair.certificate);
        put_private_file(files_.key, pair.key);
    }
    std::string faults() {
        std::string all;
        for (const TlsFault& fault : check_tls_files(files_, now_ms_).faults) {
            all += std::to_string(static_cast<int>(fault.file)) + " " + fault.why + "\n";
        }
        return all;
    }

    TestAuthority authority_;
    std::string root_;
    TlsFiles files_;
    uint64_t now_ms_ = make_system_clock()->unix_ms();
};

TEST_F(TlsIdentityTest, ReadsACertificateWithItsKey) {
    const TlsCheck check = check_tls_files(files_, now_ms_);
    ASSERT_NE(check.identity, nullptr) << faults();
    EXPECT_NEAR(static_cast<double>(check.identity->not_after_s),
                static_cast<double>(now_ms_) / 1000 + 86'400, 60);
    files_.client_ca = root_ + "/ca.pem";
    put_private_file(files_.client_ca, authority_.pem());
    EXPECT_EQ(faults(), "");
}

TEST_F(TlsIdentityTest, TellsEveryFaultAtOnce) {
    put(authority_.issue("old", -60));
    ASSERT_EQ(::chmod(files_.key.c_str(), 0644), 0);
    files_.client_ca = root_ + "/none.pem";
    const std::string told = faults();
    EXPECT_NE(told.find("0 has expired"), std::string::npos) << told;
    EXPECT_NE(told.find("mode 0644"), std::string::npos) << told;
    EXPECT_NE(told.find("2 cannot be read"), std::string::npos) << told;
    EXPECT_EQ(told.find("PRIVATE KEY"), std::string::npos);
}

TEST_F(TlsIdentityTest, RefusesAKeyOfAnotherCertificateAndJunk) {
    put_private_file(files_.key, authority_.issue("other").key);
    EXPECT_EQ(faults(), "1 is not the key of the certificate\n");
    put_private_file(files_.key, "junk");
    EXPECT_EQ(faults(), "1 holds no private key in PEM without a passphrase\n");
    put_private_file(files_.certificate, "");
    EXPECT_NE(faults().find("0 holds no certificate in PEM"), std::string::npos);
}

TEST_F(TlsIdentityTest, TakesOverANewPairAndKeepsTheOldOneOtherwise) {
    TlsSource source(files_, check_tls_files(files_, now_ms_).identity);
    const auto first = source.current();
    EXPECT_EQ(source.reload(now_ms_).reload, TlsSource::Reload::kUnchanged);
    EXPECT_EQ(source.current(), first);
    const TestAuthority::Pair next = authority_.issue("second");
    put_private_file(files_.certificate, next.certificate);  // and the key not yet
    const TlsSource::Outcome refused = source.reload(now_ms_);
    EXPECT_EQ(refused.reload, TlsSource::Reload::kRefused);
    EXPECT_EQ(refused.why, files_.key + " is not the key of the certificate");
    EXPECT_EQ(source.reload(now_ms_).reload, TlsSource::Reload::kUnchanged) << "told once";
    EXPECT_EQ(source.current(), first);
    put_private_file(files_.key, next.key);
    EXPECT_EQ(source.reload(now_ms_).reload, TlsSource::Reload::kTaken);
    EXPECT_EQ(source.current()->certificate_pem, next.certificate);
    std::filesystem::remove(files_.key);
    EXPECT_EQ(source.reload(now_ms_).reload, TlsSource::Reload::kRefused);
    EXPECT_EQ(source.current()->certificate_pem, next.certificate);
}

TEST(Secret, PrintsStarsAndNothingElse) {
    const Secret secret("hunter2");
    std::ostringstream out;
    out << secret;
    EXPECT_EQ(out.str(), "***");
    EXPECT_EQ(secret, Secret("hunter2"));
    EXPECT_FALSE(secret == Secret("hunter3"));
    EXPECT_FALSE(secret == Secret("hunter22"));
    Secret moved(secret);
    const Secret taken(std::move(moved));
    EXPECT_EQ(taken.reveal(), "hunter2");
}

}  // namespace
}  // namespace akidb::io
