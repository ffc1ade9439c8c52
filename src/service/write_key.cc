#include "service/write_key.h"

#include <algorithm>

#include "model/limits.h"

namespace akidb::service {
namespace {

constexpr std::string_view kField = "Idempotency-Key";

Error wrong_key(std::string message) {
    return invalid_argument(
        std::string(kField), std::move(message),
        "once, with 1.." + std::to_string(model::kIdempotencyKeyBytesMax) + " visible ASCII characters");
}

bool is_visible(char letter) {
    return letter > ' ' && letter <= '~';
}

}  // namespace

Result<const std::string*> find_write_key(const std::vector<std::string>& texts) {
    if (texts.empty()) {
        return nullptr;
    }
    if (texts.size() > 1) {
        return wrong_key("the header is there " + std::to_string(texts.size()) + " times");
    }
    const std::string& text = texts.front();
    if (text.empty() || text.size() > model::kIdempotencyKeyBytesMax) {
        return wrong_key("the key has " + std::to_string(text.size()) + " characters");
    }
    if (!std::all_of(text.begin(), text.end(), is_visible)) {
        return wrong_key("the key has a space, or a character outside of ASCII");
    }
    return &text;
}

Result<void> refuse_write_key(const std::vector<std::string>& texts, std::string_view why) {
    if (texts.empty()) {
        return {};
    }
    return invalid_argument(std::string(kField), std::string(why), "no Idempotency-Key here");
}

void restore_made_ids(std::vector<model::DocumentId>& ids, const Uuid& made_now, const Uuid& made_first) {
    uint64_t index = 0;
    for (model::DocumentId& id : ids) {
        if (id == model::DocumentId(model::next_id(made_now, index))) {
            id = model::DocumentId(model::next_id(made_first, index));
            ++index;
        }
    }
}

}  // namespace akidb::service
