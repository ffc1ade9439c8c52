#include "service/password.h"

#include <algorithm>
#include <array>

#include "model/limits.h"

namespace akidb::service {
namespace {

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
    });
    return lower;
}

// Of the lists of leaked passwords (Have I Been Pwned, NordPass 2024), those of 12 bytes and more at the top.
constexpr std::array<std::string_view, 24> kCommonest{"123456789012",
                                                      "1234567890123",
                                                      "qwertyuiop123",
                                                      "qwertyuiop12",
                                                      "password1234",
                                                      "password12345",
                                                      "passwordpassword",
                                                      "password123456",
                                                      "1q2w3e4r5t6y",
                                                      "1qaz2wsx3edc",
                                                      "administrator",
                                                      "adminadminadmin",
                                                      "letmeinletmein",
                                                      "iloveyouiloveyou",
                                                      "welcome12345",
                                                      "changeme1234",
                                                      "changemechangeme",
                                                      "qwerty123456",
                                                      "abcdefghijkl",
                                                      "111111111111",
                                                      "000000000000",
                                                      "aaaaaaaaaaaa",
                                                      "correcthorsebatterystaple",
                                                      "trustno1trustno1"};

}  // namespace

Result<void> validate_password(std::string_view password, std::string_view email) {
    const std::string allowed = std::to_string(model::kPasswordBytesMin) + ".." +
                                std::to_string(model::kPasswordBytesMax) +
                                " bytes, not the e-mail, and none of the commonest";
    if (password.size() < model::kPasswordBytesMin || password.size() > model::kPasswordBytesMax) {
        return invalid_argument("password", "the password has " + std::to_string(password.size()) + " bytes",
                                allowed);
    }
    const std::string lower = lower_case(password);
    if (lower == email) {
        return invalid_argument("password", "the password is the e-mail", allowed);
    }
    if (std::find(kCommonest.begin(), kCommonest.end(), lower) != kCommonest.end()) {
        return invalid_argument("password", "the password is one of those that are tried first", allowed);
    }
    return {};
}

Result<std::string> normalised_email(std::string_view email) {
    const size_t at = email.find('@');
    const bool is_one = at != std::string_view::npos && at > 0 && at + 1 < email.size() &&
                        email.find('@', at + 1) == std::string_view::npos;
    const bool is_plain = std::none_of(email.begin(), email.end(), [](char letter) {
        return static_cast<unsigned char>(letter) <= ' ' || letter == 0x7f;
    });
    if (!is_one || !is_plain || email.size() > model::kEmailBytesMax) {
        return invalid_argument("email", "this is no e-mail address",
                                "name@domain, up to " + std::to_string(model::kEmailBytesMax) + " bytes");
    }
    return lower_case(email);
}

}  // namespace akidb::service
