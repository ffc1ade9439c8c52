#include "model/filter_text.h"

#include <algorithm>
#include <array>
#include <compare>
#include <cstring>
#include <optional>

#include "base/utf8.h"

namespace akidb::model {
namespace {

struct Span {
    char32_t first;
    char32_t last;
};

/// Beyond ASCII, what is no letter, digit or mark: blocks of signs as the Unicode charts name them.
/// Ascending.
constexpr std::array kSeparators{
    Span{0x80, 0xa9},     Span{0xab, 0xb1},     Span{0xb4, 0xb4},       Span{0xb6, 0xb8},
    Span{0xbb, 0xbb},     Span{0xbf, 0xbf},     Span{0xd7, 0xd7},       Span{0xf7, 0xf7},
    Span{0x37e, 0x37e},   Span{0x387, 0x387},   Span{0x55a, 0x55f},     Span{0x589, 0x58a},
    Span{0x5be, 0x5be},   Span{0x5c0, 0x5c0},   Span{0x5c3, 0x5c3},     Span{0x5f3, 0x5f4},
    Span{0x60c, 0x60d},   Span{0x61b, 0x61f},   Span{0x66a, 0x66d},     Span{0x6d4, 0x6d4},
    Span{0x964, 0x965},   Span{0x1361, 0x1368}, Span{0x1680, 0x1680},   Span{0x2000, 0x206f},
    Span{0x20a0, 0x20cf}, Span{0x2190, 0x245f}, Span{0x2500, 0x2bff},   Span{0x2e00, 0x2e7f},
    Span{0x3000, 0x3004}, Span{0x3008, 0x3020}, Span{0x3030, 0x3030},   Span{0x303d, 0x303f},
    Span{0x30a0, 0x30a0}, Span{0x30fb, 0x30fb}, Span{0xfe10, 0xfe1f},   Span{0xfe30, 0xfe6f},
    Span{0xfeff, 0xfeff}, Span{0xff01, 0xff0f}, Span{0xff1a, 0xff20},   Span{0xff3b, 0xff40},
    Span{0xff5b, 0xff65}, Span{0xffe0, 0xffff}, Span{0x1f000, 0x1faff},
};

/// Letters in upper case and how far their lower case lies behind them; or pairs, upper and lower in turn.
struct Cased {
    char32_t first;
    char32_t last;
    char32_t distance;  // 0: pairs, which begin with an upper one
};
constexpr std::array kCased{
    Cased{0xc0, 0xd6, 32},    Cased{0xd8, 0xde, 32},    Cased{0x100, 0x12f, 0},    Cased{0x132, 0x137, 0},
    Cased{0x139, 0x148, 0},   Cased{0x14a, 0x177, 0},   Cased{0x179, 0x17e, 0},    Cased{0x1cd, 0x1dc, 0},
    Cased{0x1de, 0x1ef, 0},   Cased{0x1f8, 0x21f, 0},   Cased{0x222, 0x233, 0},    Cased{0x386, 0x386, 38},
    Cased{0x388, 0x38a, 37},  Cased{0x38c, 0x38c, 64},  Cased{0x38e, 0x38f, 63},   Cased{0x391, 0x3a1, 32},
    Cased{0x3a3, 0x3ab, 32},  Cased{0x400, 0x40f, 80},  Cased{0x410, 0x42f, 32},   Cased{0x460, 0x481, 0},
    Cased{0x48a, 0x4bf, 0},   Cased{0x4c1, 0x4ce, 0},   Cased{0x4d0, 0x52f, 0},    Cased{0x531, 0x556, 48},
    Cased{0x1e00, 0x1e95, 0}, Cased{0x1ea0, 0x1eff, 0}, Cased{0xff21, 0xff3a, 32},
};

/// Of a span of either table, by the last that begins at or before the character.
template <class Table>
auto span_around(const Table& table, char32_t character) {
    const auto behind =
        std::upper_bound(table.begin(), table.end(), character,
                         [](char32_t sought, const auto& span) { return sought < span.first; });
    return behind != table.begin() && character <= std::prev(behind)->last ? std::optional(*std::prev(behind))
                                                                           : std::nullopt;
}

bool is_upper_ascii(char32_t character) {
    return character >= 'A' && character <= 'Z';
}

bool is_of_word(char32_t character) {
    if (character < 0x80) {
        return is_upper_ascii(character) || (character >= 'a' && character <= 'z') ||
               (character >= '0' && character <= '9');
    }
    return !span_around(kSeparators, character);
}

char32_t lowered(char32_t character) {
    constexpr char32_t kFinalSigma = 0x3c2;
    constexpr char32_t kDottedI = 0x130;
    constexpr char32_t kYWithDiaeresis = 0x178;
    if (character < 0x80) {
        return is_upper_ascii(character) ? character + 32 : character;
    }
    switch (character) {
        case kFinalSigma:
            return kFinalSigma + 1;
        case kDottedI:
            return 'i';
        case kYWithDiaeresis:
            return 0xff;
        default:
            break;
    }
    const auto cased = span_around(kCased, character);
    if (!cased) {
        return character;
    }
    const bool is_upper = cased->distance != 0 || (character - cased->first) % 2 == 0;
    return is_upper ? character + std::max<char32_t>(cased->distance, 1) : character;
}

struct Character {
    char32_t value = 0;
    size_t bytes = 0;
};

/// Of text that is not empty. A byte that begins no character stands for a separator.
Character front_of(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<uint8_t>(text[i])); };
    switch (utf8_front_length(text)) {
        case 1:
            return {byte(0), 1};
        case 2:
            return {(byte(0) & 0x1f) << 6 | (byte(1) & 0x3f), 2};
        case 3:
            return {(byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f), 3};
        case 4:
            return {
                (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f),
                4};
        default:
            return {0, 1};
    }
}

/// One character as UTF-8, on the stack.
class Letter {
  public:
    explicit Letter(char32_t character) {
        if (character < 0x80) {
            put(character);
        } else if (character < 0x800) {
            put(0xc0 | character >> 6);
            put(0x80 | (character & 0x3f));
        } else if (character < 0x10000) {
            put(0xe0 | character >> 12);
            put(0x80 | (character >> 6 & 0x3f));
            put(0x80 | (character & 0x3f));
        } else {
            put(0xf0 | character >> 18);
            put(0x80 | (character >> 12 & 0x3f));
            put(0x80 | (character >> 6 & 0x3f));
            put(0x80 | (character & 0x3f));
        }
    }
    std::string_view bytes() const { return {bytes_.data(), size_}; }

  private:
    void put(char32_t byte) { bytes_.at(size_++) = static_cast<char>(static_cast<uint8_t>(byte)); }

    std::array<char, 4> bytes_{};
    size_t size_ = 0;
};

/// The order of the bytes of `word` in lower case and those of `lower`.
std::strong_ordering order_of(std::string_view word, std::string_view lower) {
    while (!word.empty()) {
        const Character front = front_of(word);
        word.remove_prefix(front.bytes);
        const Letter letter(lowered(front.value));
        const size_t compared = std::min(letter.bytes().size(), lower.size());
        const int difference = std::memcmp(letter.bytes().data(), lower.data(), compared);
        if (difference != 0) {
            return difference <=> 0;
        }
        if (compared < letter.bytes().size()) {
            return std::strong_ordering::greater;
        }
        lower.remove_prefix(compared);
    }
    return lower.empty() ? std::strong_ordering::equal : std::strong_ordering::less;
}

std::string in_lower_case(std::string_view word) {
    std::string lower;
    lower.reserve(word.size());
    while (!word.empty()) {
        const Character front = front_of(word);
        word.remove_prefix(front.bytes);
        lower += Letter(lowered(front.value)).bytes();
    }
    return lower;
}

/// Words of `text` in turn, until the visitor returns false.
template <class Visit>
void for_each_word(std::string_view text, Visit visit) {
    size_t begin = 0;
    size_t end = 0;
    while (end < text.size()) {
        const Character front = front_of(text.substr(end));
        if (!is_of_word(front.value)) {
            if (begin < end && !visit(text.substr(begin, end - begin))) {
                return;
            }
            begin = end + front.bytes;
        }
        end += front.bytes;
    }
    if (begin < end) {
        visit(text.substr(begin, end - begin));
    }
}

}  // namespace

TextQuery::TextQuery(std::string_view text, TextMode mode) : mode_(mode) {
    for_each_word(text, [&](std::string_view word) {
        words_.push_back(in_lower_case(word));
        return words_.size() <= kFilterTextWordsMax;
    });
    word_count_ = words_.size();
    if (mode != TextMode::kPhrase) {
        std::sort(words_.begin(), words_.end());
        words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
        return;
    }
    restarts_.resize(words_.size());
    for (size_t i = 1; i < words_.size(); ++i) {
        size_t length = restarts_[i - 1];
        while (length > 0 && words_[length] != words_[i]) {
            length = restarts_[length - 1];
        }
        restarts_[i] = static_cast<uint16_t>(words_[length] == words_[i] ? length + 1 : 0);
    }
}

bool TextSearch::read(std::string_view text) {
    in_a_row_ = 0;
    if (!is_met_) {
        for_each_word(text, [&](std::string_view word) {
            is_met_ = take_word(word);
            return !is_met_;
        });
    }
    return is_met_;
}

bool TextSearch::take_word(std::string_view word) {
    const std::vector<std::string>& words = query_.words_;
    if (words.empty()) {
        return false;
    }
    if (query_.mode_ == TextMode::kPhrase) {
        while (in_a_row_ > 0 && order_of(word, words[in_a_row_]) != 0) {
            in_a_row_ = query_.restarts_[in_a_row_ - 1];
        }
        in_a_row_ += order_of(word, words[in_a_row_]) == 0 ? 1 : 0;
        return in_a_row_ == words.size();
    }
    const auto found = std::lower_bound(
        words.begin(), words.end(), word,
        [](const std::string& lower, std::string_view sought) { return order_of(sought, lower) > 0; });
    if (found == words.end() || order_of(word, *found) != 0) {
        return false;
    }
    const auto at = static_cast<size_t>(found - words.begin());
    found_count_ += found_.test(at) ? 0 : 1;
    found_.set(at);
    return query_.mode_ == TextMode::kAny || found_count_ == words.size();
}

}  // namespace akidb::model
