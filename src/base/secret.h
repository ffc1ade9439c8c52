// Secret: a text that must not get out: a key, a password, a token. It prints as ***, compares in constant
// time, and is wiped when it goes; reveal() is the one way to its content and easy to search for.
// Thread-compatible.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace akidb {

class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
    Secret& operator=(const Secret& other) {
        if (this != &other) {
            wipe();
            text_ = other.text_;
        }
        return *this;
    }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            wipe();
            text_ = std::move(other.text_);
            other.wipe();
        }
        return *this;
    }
    ~Secret() { wipe(); }

    const std::string& reveal() const { return text_; }
    bool empty() const { return text_.empty(); }

    friend bool operator==(const Secret& a, const Secret& b) {
        unsigned different = a.text_.size() != b.text_.size() ? 1 : 0;
        for (size_t i = 0; i < a.text_.size() && i < b.text_.size(); ++i) {
            different |= static_cast<unsigned char>(a.text_[i] ^ b.text_[i]);
        }
        return different == 0;
    }
    friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "***"; }

  private:
    /// Through a volatile pointer, or the compiler leaves out what nobody reads afterwards.
    void wipe() {
        volatile char* bytes = text_.data();
        for (size_t i = 0; i < text_.capacity(); ++i) {
            bytes[i] = '\0';
        }
        text_.clear();
    }

    std::string text_;
};

}  // namespace akidb
