#include "rest/float_list.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <system_error>

namespace akidb::rest {
namespace {

/// Half a step above FLT_MAX: what rounds to infinity starts here.
constexpr double kFloatOverflow = 3.4028235677973366e38;
constexpr size_t kBlock = 1024;       // numbers on the stack before they are appended
constexpr ptrdiff_t kDigitsMax = 19;  // always fit 64 bits
constexpr size_t kWordDigits = 8;
constexpr int kExponentMax = 100'000;
// Clinger 1990: a whole number and a power of ten that are both exact as doubles give, by one operation, the
// double nearest to their product or quotient.
constexpr uint64_t kExactMax = uint64_t{1} << 53;
constexpr std::array<double, 23> kPowers{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                         1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                         1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int kPowerMax = static_cast<int>(kPowers.size()) - 1;
constexpr std::array<uint64_t, kWordDigits + 1> kScales{1,       10,        100,        1'000,      10'000,
                                                        100'000, 1'000'000, 10'000'000, 100'000'000};

bool is_digit(char letter) {
    return static_cast<unsigned char>(letter - '0') < 10;
}

inline const char* after_blanks(const char* at) {
    while (*at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) {
        ++at;
    }
    return at;
}

struct Digits {
    const char* at;
    uint64_t number;
};

/// Appends the digits at `at` to `number`, eight at a time: pairs, then fours, then eights are joined by one
/// multiplication each, all in one word (known since Muła 2014). Their count varies from number to number, so
/// nothing branches on it. The caller counts them, as 20 would overflow.
inline Digits take_digits(Digits taken) {
    static_assert(std::endian::native == std::endian::little);
    size_t count = kWordDigits;
    while (count == kWordDigits) {
        uint64_t word = 0;
        std::memcpy(&word, taken.at, sizeof(word));
        word ^= 0x3030303030303030;  // digits become 0..9
        // A carry out of a byte above 9 spoils only bytes behind it, and the first one is what is looked for.
        const uint64_t others = (word | (word + 0x7676767676767676)) & 0x8080808080808080;
        count = others == 0 ? kWordDigits : static_cast<size_t>(std::countr_zero(others)) / 8;
        const size_t half = 4 * (kWordDigits - count);
        word = word << half << half;  // zeros in front; at once it might be 64, which is undefined
        word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ff;
        word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffff;
        word = (word * 10'000 + (word >> 32)) & 0x00000000ffffffff;
        taken.number = taken.number * kScales[count] + word;
        taken.at += count;
    }
    return taken;
}

/// The exponent behind an "e"; false when it is not one. Beyond 10^5 it only has to stay large.
bool take_exponent(const char*& at, int& power) {
    ++at;
    const bool is_negative = *at == '-';
    if (is_negative || *at == '+') {
        ++at;
    }
    const char* begin = at;
    int exponent = 0;
    for (; is_digit(*at); ++at) {
        exponent = std::min(exponent * 10 + (*at - '0'), kExponentMax);
    }
    power += is_negative ? -exponent : exponent;
    return at != begin;
}

/// `number` times a power of ten as a double whose float is certain: up to 19 digits are more than a double
/// holds exactly, yet two roundings move it by less than 2^-51 of it, and where both ends of that lie at one
/// float, what is nearest to the text as a double lies there, too. Programs that hold their vectors as
/// doubles write 17 digits. NaN where it is not certain.
inline double near_enough(uint64_t number, int power) {
    constexpr double kMargin = 0x1p-51;
    constexpr double kMost = 3.4e38;
    const auto whole = static_cast<double>(number);
    const double near = power < 0 ? whole / kPowers[static_cast<size_t>(-power)]
                                  : whole * kPowers[static_cast<size_t>(power)];
    const bool is_certain = near < kMost && static_cast<float>(near - near * kMargin) ==
                                                static_cast<float>(near + near * kMargin);
    return is_certain ? near : std::numeric_limits<double>::quiet_NaN();
}

struct Number {
    const char* end;  // null: a fault
    float value;
};
constexpr Number kFault{nullptr, 0};

inline Number take_number(const char* const text) {
    const bool is_negative = *text == '-';
    const char* const begin = text + (is_negative ? 1 : 0);
    Digits taken{begin + 1, static_cast<uint64_t>(*begin - '0')};
    if (!is_digit(*begin) || is_digit(*taken.at)) {
        taken = take_digits({begin, 0});
        if (taken.at == begin || *begin == '0') {
            return kFault;
        }
    }
    ptrdiff_t digits = taken.at - begin;
    int power = 0;
    if (*taken.at == '.') {
        const char* const point = taken.at + 1;
        taken = take_digits({point, taken.number});
        if (taken.at == point) {
            return kFault;
        }
        digits += taken.at - point;
        power = static_cast<int>(point - taken.at);
    }
    if ((*taken.at == 'e' || *taken.at == 'E') && !take_exponent(taken.at, power)) {
        return kFault;
    }
    double value = std::numeric_limits<double>::quiet_NaN();
    if (digits <= kDigitsMax && power >= -kPowerMax && power <= kPowerMax) {
        if (taken.number <= kExactMax) {
            const auto whole = static_cast<double>(static_cast<int64_t>(taken.number));
            value = power < 0 ? whole / kPowers[static_cast<size_t>(-power)]
                              : whole * kPowers[static_cast<size_t>(power)];
        } else {
            value = near_enough(taken.number, power);
        }
        // Half of the numbers are negative, at random: no branch.
        value = std::bit_cast<double>(std::bit_cast<uint64_t>(value) | uint64_t{is_negative} << 63);
    }
    if (std::isnan(value) && std::from_chars(text, taken.at, value).ec != std::errc()) {
        return kFault;
    }
    return {std::abs(value) < kFloatOverflow ? taken.at : nullptr, static_cast<float>(value)};
}

}  // namespace

const char* read_float_list(const char* text, size_t items_max, std::vector<float>& out) {
    const size_t before = out.size();
    std::array<float, kBlock> block;
    size_t used = 0;
    const char* at = after_blanks(text + 1);
    bool goes_on = *at != ']';
    for (size_t taken = 0; goes_on; ++taken) {
        const Number number = taken < items_max ? take_number(at) : kFault;
        if (number.end == nullptr) {
            out.resize(before);
            return nullptr;
        }
        block[used] = number.value;
        if (++used == kBlock) {
            out.insert(out.end(), block.begin(), block.end());
            used = 0;
        }
        at = after_blanks(number.end);
        goes_on = *at == ',';
        if (!goes_on && *at != ']') {
            out.resize(before);
            return nullptr;
        }
        at = goes_on ? after_blanks(at + 1) : at;
    }
    out.insert(out.end(), block.begin(), block.begin() + static_cast<ptrdiff_t>(used));
    return at + 1;
}

}  // namespace akidb::rest
