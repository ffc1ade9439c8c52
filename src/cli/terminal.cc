#include "cli/terminal.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace akidb::cli {
namespace {

// Characters, not bytes: continuation bytes of UTF-8 take no column.
size_t width_of(const std::string& text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// Neither echo nor lines nor signals: what is typed comes letter by letter, so that nothing that ends the
/// process leaves a terminal behind that shows nothing.
class SilentTerminal {
  public:
    explicit SilentTerminal(int terminal) : terminal_(terminal) {
        is_set_ = ::tcgetattr(terminal, &before_) == 0;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG);
        is_set_ = is_set_ && ::tcsetattr(terminal, TCSAFLUSH, &silent) == 0;
    }
    ~SilentTerminal() {
        if (is_set_) {
            ::tcsetattr(terminal_, TCSAFLUSH, &before_);
        }
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;
    bool is_set() const { return is_set_; }

  private:
    const int terminal_;
    termios before_{};
    bool is_set_ = false;
};

enum class Typed : uint8_t { kLine, kEnd, kInterrupt };

constexpr char kInterruptKey = 3;  // Ctrl-C
constexpr char kEndKey = 4;        // Ctrl-D
constexpr char kBackspaceKey = 8;
constexpr char kKillKey = 21;  // Ctrl-U
constexpr char kDeleteKey = 127;

void take_last_letter(std::string& line) {
    while (!line.empty() && (line.back() & 0xc0) == 0x80) {
        line.pop_back();
    }
    if (!line.empty()) {
        line.pop_back();
    }
}

Typed read_letters(int terminal, std::string& line, size_t bytes_max) {
    while (true) {
        char letter = 0;
        const ssize_t got = ::read(terminal, &letter, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 || letter == kEndKey) {
            return line.empty() ? Typed::kEnd : Typed::kLine;
        }
        if (letter == '\n' || letter == '\r') {
            return Typed::kLine;
        }
        if (letter == kInterruptKey) {
            return Typed::kInterrupt;
        }
        if (letter == kBackspaceKey || letter == kDeleteKey) {
            take_last_letter(line);
        } else if (letter == kKillKey) {
            line.clear();
        } else if (line.size() <= bytes_max) {  // one more than allowed, so that it is seen
            line.push_back(letter);
        }
    }
}

void write_to(int terminal, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(terminal, text.data(), text.size());
        if (written <= 0) {
            return;  // nobody sees it, and what is typed counts all the same
        }
        text.remove_prefix(static_cast<size_t>(written));
    }
}

}  // namespace

Result<std::string> read_hidden_line(int terminal, std::string_view question, size_t bytes_max) {
    std::string line;
    Typed typed = Typed::kEnd;
    {
        const SilentTerminal silent(terminal);
        if (!silent.is_set()) {
            return Error(Code::kUnavailable, "the terminal cannot be kept from showing what is typed");
        }
        write_to(terminal, question);
        typed = read_letters(terminal, line, bytes_max);
        write_to(terminal, "\n");
    }
    if (typed == Typed::kInterrupt) {
        static_cast<void>(std::raise(SIGINT));
    }
    return typed == Typed::kLine ? Result<std::string>(std::move(line))
                                 : Error(Code::kCancelled, "nothing was typed");
}

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(row[i]));
        }
    }
    std::string text;
    for (const auto& row : rows) {
        for (size_t i = 0; i < row.size(); ++i) {
            text += row[i];
            if (i + 1 < row.size()) {
                text.append(widths[i] - width_of(row[i]) + 2, ' ');
            }
        }
        text += '\n';
    }
    return text;
}

}  // namespace akidb::cli
