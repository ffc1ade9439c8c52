#include "objects/xml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace akidb::objects {
namespace {

constexpr size_t kDepthMax = 16;
constexpr size_t kElementsMax = 100'000;

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
    {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}}};

/// "#65" or "#x41"; letters beyond ASCII as UTF-8.
std::optional<std::string> character(std::string_view reference) {
    const bool is_hex = reference.starts_with("#x");
    const std::string_view digits = reference.substr(is_hex ? 2 : 1);
    uint32_t code = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, fault] = std::from_chars(digits.data(), end, code, is_hex ? 16 : 10);
    if (fault != std::errc() || stop != end || code == 0 || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000)) {
        return std::nullopt;
    }
    std::string letter;
    if (code < 0x80) {
        letter.push_back(static_cast<char>(code));
        return letter;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr std::array<uint32_t, 4> kFirst{0, 0xc0, 0xe0, 0xf0};
    letter.push_back(static_cast<char>(kFirst[static_cast<size_t>(more)] | (code >> (6 * more))));
    for (int at = more - 1; at >= 0; --at) {
        letter.push_back(static_cast<char>(0x80 | ((code >> (6 * at)) & 0x3f)));
    }
    return letter;
}

class XmlParser {
  public:
    explicit XmlParser(std::string_view text) : rest_(text) {}

    Result<XmlElement> document() {
        AKIDB_TRY(skip_between());
        AKIDB_TRY(XmlElement root, element(0));
        AKIDB_TRY(skip_between());
        if (!rest_.empty()) {
            return broken("something follows the root");
        }
        return root;
    }

  private:
    static Error broken(std::string_view why) {
        return Error(Code::kDataLoss, "the answer is no XML: " + std::string(why));
    }

    bool take(std::string_view expected) {
        if (!rest_.starts_with(expected)) {
            return false;
        }
        rest_.remove_prefix(expected.size());
        return true;
    }

    Result<std::string_view> until(std::string_view end) {
        const size_t at = rest_.find(end);
        if (at == std::string_view::npos) {
            return broken("it ends too early");
        }
        const std::string_view found = rest_.substr(0, at);
        rest_.remove_prefix(at + end.size());
        return found;
    }

    /// White space, declarations and comments.
    Result<void> skip_between() {
        while (true) {
            rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
            if (take("<?")) {
                AKIDB_TRY(until("?>"));
            } else if (take("<!--")) {
                AKIDB_TRY(until("-->"));
            } else {
                return {};
            }
        }
    }

    Result<XmlElement> element(size_t depth) {
        if (depth == kDepthMax || ++elements_ > kElementsMax) {
            return broken("it is too deep or too large");
        }
        if (!take("<") || rest_.starts_with('!')) {
            return broken("an element was expected");
        }
        AKIDB_TRY(std::string_view tag, until(">"));
        const bool is_empty = tag.ends_with('/');
        if (is_empty) {
            tag.remove_suffix(1);
        }
        const std::string_view full = tag.substr(0, tag.find_first_of(" \t\r\n"));
        if (full.empty()) {
            return broken("an element has no name");
        }
        XmlElement made;
        made.name = full.substr(full.find(':') == std::string_view::npos ? 0 : full.find(':') + 1);
        if (!is_empty) {
            AKIDB_TRY(content(depth, full, made));
        }
        return made;
    }

    Result<void> content(size_t depth, std::string_view name, XmlElement& made) {
        while (true) {
            const size_t tag = rest_.find('<');
            if (tag == std::string_view::npos) {
                return broken("it ends too early");
            }
            AKIDB_TRY(append_text(rest_.substr(0, tag), made.text));
            rest_.remove_prefix(tag);
            if (take("</")) {
                AKIDB_TRY(const std::string_view closed, until(">"));
                return closed == name ? Result<void>() : broken("elements do not nest");
            }
            if (take("<!--")) {
                AKIDB_TRY(until("-->"));
            } else {
                AKIDB_TRY(XmlElement child, element(depth + 1));
                made.children.push_back(std::move(child));
            }
        }
    }

    static Result<void> append_text(std::string_view raw, std::string& text) {
        while (!raw.empty()) {
            const size_t mark = std::min(raw.find('&'), raw.size());
            text += raw.substr(0, mark);
            raw.remove_prefix(mark);
            if (raw.empty()) {
                break;
            }
            const size_t end = raw.find(';');
            if (end == std::string_view::npos) {
                return broken("a reference does not end");
            }
            const std::string_view name = raw.substr(1, end - 1);
            raw.remove_prefix(end + 1);
            if (name.starts_with('#')) {
                const std::optional<std::string> letter = character(name);
                if (!letter) {
                    return broken("a character reference is wrong");
                }
                text += *letter;
                continue;
            }
            const auto* found = std::find_if(kEntities.begin(), kEntities.end(),
                                             [&](const auto& entity) { return entity.first == name; });
            if (found == kEntities.end()) {
                return broken("an entity is unknown");
            }
            text.push_back(found->second);
        }
        return {};
    }

    std::string_view rest_;
    size_t elements_ = 0;
};

}  // namespace

const XmlElement* XmlElement::find(std::string_view child) const {
    for (const XmlElement& element : children) {
        if (element.name == child) {
            return &element;
        }
    }
    return nullptr;
}

std::string_view XmlElement::text_of(std::string_view child) const {
    const XmlElement* found = find(child);
    return found == nullptr ? std::string_view() : std::string_view(found->text);
}

Result<XmlElement> parse_xml(std::string_view text) {
    return XmlParser(text).document();
}

std::string xml_escaped(std::string_view text) {
    std::string escaped;
    for (const char letter : text) {
        const auto* found = std::find_if(kEntities.begin(), kEntities.end(),
                                         [&](const auto& entity) { return entity.second == letter; });
        if (found == kEntities.end()) {
            escaped.push_back(letter);
        } else {
            escaped.append("&").append(found->first).append(";");
        }
    }
    return escaped;
}

}  // namespace akidb::objects
