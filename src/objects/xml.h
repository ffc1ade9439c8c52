// parse_xml: the XML that S3 servers answer with, as a tree of elements: names without their namespace
// prefix, text with the five entities and character references resolved. No DTDs (refused), no attributes
// (skipped). For input of strangers: bounded in depth and count, and linear in time. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace akidb::objects {

struct XmlElement {
    std::string name;
    std::string text;
    std::vector<XmlElement> children{};

    /// The first child of that name, or null.
    const XmlElement* find(std::string_view child) const;
    /// Its text; empty when it is not there.
    std::string_view text_of(std::string_view child) const;
};

/// The root. kDataLoss for what is no well-formed document of that kind.
Result<XmlElement> parse_xml(std::string_view text);
std::string xml_escaped(std::string_view text);

}  // namespace akidb::objects
