// TextQuery: the words that a filter looks for in texts, and the search for them. A word is a run of letters,
// digits and marks of any script, lower-cased letter by letter; all else separates: "Don't stop!" is don, t,
// stop. Lower case covers Latin, Greek (final sigma as sigma), Cyrillic and Armenian, as far as one character
// has one in lower case; letters with accents differ from those without. Scripts that write no spaces are not
// cut up: such a run is one word. Immutable after construction; evaluation is thread-safe and allocates
// nothing: it folds letters while it compares.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/limits.h"

namespace akidb::model {

enum class TextMode : uint8_t { kAll, kAny, kPhrase };

class TextQuery {
  public:
    TextQuery() = default;
    /// Takes one word more than the limit at most; validate() refuses such a query, and one without a word.
    TextQuery(std::string_view text, TextMode mode);

    TextMode mode() const { return mode_; }
    /// Lower-cased. In the order of the text for kPhrase; sorted, each once, else.
    const std::vector<std::string>& words() const { return words_; }
    /// Words of the text, repeats among them.
    size_t word_count() const { return word_count_; }

  private:
    friend class TextSearch;

    TextMode mode_ = TextMode::kAll;
    std::vector<std::string> words_;
    size_t word_count_ = 0;
    /// Of a phrase, after Knuth, Morris and Pratt: how many of its first words may stand where word i fails.
    std::vector<uint16_t> restarts_;
};

/// One search through the texts of one document: kAll gathers words from all of them, a phrase lies within
/// one.
class TextSearch {
  public:
    explicit TextSearch(const TextQuery& query) : query_(query) {}

    /// True once the query is met; later texts change nothing.
    bool read(std::string_view text);
    bool is_met() const { return is_met_; }

  private:
    bool take_word(std::string_view word);

    const TextQuery& query_;
    std::bitset<kFilterTextWordsMax + 1> found_;
    size_t found_count_ = 0;
    size_t in_a_row_ = 0;
    bool is_met_ = false;
};

}  // namespace akidb::model
