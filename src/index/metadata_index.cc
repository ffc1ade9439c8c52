#include "index/metadata_index.h"

#include <algorithm>
#include <optional>

#include "model/moment.h"

namespace akidb::index {
namespace {

using model::MetadataType;

/// Fewer rows than this are looked at one by one: it takes less time than a job.
constexpr uint32_t kRowsBehindMin = 64;

class BlockBuilder {
  public:
    explicit BlockBuilder(ValueClass wanted) : class_(wanted) {}

    void add(uint16_t offset, model::MetadataView metadata, std::string_view key) {
        bool has_other = false;
        size_t found = 0;
        model::for_each_at_path(metadata, key, [&](model::MetadataView value) {
            const MetadataType type = value.type();
            if (type == MetadataType::kNull || type == MetadataType::kObject) {
                return true;
            }
            if (class_ == ValueClass::kText && type == MetadataType::kString) {
                texts_.push_back({value.as_string(), offset});
            } else if (const std::optional<NumberKey> number = number_key_of(value, class_)) {
                numbers_.push_back({*number, offset});
            } else {
                has_other = true;
                return true;
            }
            ++found;
            return true;
        });
        holds_one_each_ = holds_one_each_ && found <= 1;
        if (has_other) {
            others_.push_back(offset);
        }
    }

    std::shared_ptr<const MetadataBlock> finish(uint32_t begin, uint32_t end) && {
        auto block = std::make_shared<MetadataBlock>();
        block->begin = begin;
        block->end = end;
        block->numbers = Column<NumberKey>(std::move(numbers_));
        block->texts = Column<std::string_view>(std::move(texts_));
        block->others = std::move(others_);
        block->holds_one_each = holds_one_each_;
        return block;
    }

  private:
    const ValueClass class_;
    std::vector<Column<NumberKey>::Entry> numbers_;
    std::vector<Column<std::string_view>::Entry> texts_;
    std::vector<uint16_t> others_;
    bool holds_one_each_ = true;
};

uint64_t bytes_of(const MetadataBlock& block) {
    return sizeof(MetadataBlock) + block.numbers.bytes() + block.texts.bytes() +
           block.others.size() * sizeof(uint16_t);
}

/// The field with rows from its end on, but at most to the end of their chunk, indexed too.
std::shared_ptr<const IndexedField> extended(const IndexedField& field, uint32_t rows,
                                             ReadMetadata metadata) {
    auto next = std::make_shared<IndexedField>(field);
    uint32_t begin = field.indexed;
    const uint32_t chunk = begin >> ChunkRows::kShift;
    const uint64_t chunk_end = (uint64_t{chunk} + 1) << ChunkRows::kShift;
    const auto end = static_cast<uint32_t>(std::min<uint64_t>(rows, chunk_end));
    while (!next->blocks.empty()) {
        const MetadataBlock& last = *next->blocks.back();
        if (last.begin >> ChunkRows::kShift != chunk || last.end - last.begin > end - begin) {
            break;
        }
        begin = last.begin;
        next->bytes -= bytes_of(last);
        next->blocks.pop_back();
    }
    BlockBuilder builder(class_of(field.declared.type));
    for (uint32_t row = begin; row < end; ++row) {
        builder.add(static_cast<uint16_t>(row & (ChunkRows::kRows - 1)), model::MetadataView(metadata(row)),
                    field.declared.key);
    }
    next->blocks.push_back(std::move(builder).finish(begin, end));
    next->bytes += bytes_of(*next->blocks.back());
    next->indexed = end;
    return next;
}

const std::shared_ptr<const IndexedField>* furthest_behind(const MetadataIndexView& view) {
    const auto found = std::min_element(view.fields.begin(), view.fields.end(),
                                        [](const auto& a, const auto& b) { return a->indexed < b->indexed; });
    return found == view.fields.end() ? nullptr : &*found;
}

}  // namespace

std::optional<NumberKey> number_key_of(model::MetadataView value, ValueClass wanted) {
    const MetadataType type = value.type();
    if (wanted == ValueClass::kBool) {
        return type == MetadataType::kTrue || type == MetadataType::kFalse
                   ? std::optional(NumberKey::of(int64_t{type == MetadataType::kTrue ? 1 : 0}))
                   : std::nullopt;
    }
    if (wanted == ValueClass::kMoment) {
        const std::optional<int64_t> moment = model::parse_moment(value.as_string());
        return moment ? std::optional(NumberKey::of(*moment)) : std::nullopt;
    }
    if (wanted == ValueClass::kText || !value.is_number()) {
        return std::nullopt;
    }
    return type == MetadataType::kDouble ? NumberKey::of(value.as_double())
           : type == MetadataType::kInt  ? NumberKey::of(value.as_int())
                                         : NumberKey::of(value.as_uint());
}

ValueClass class_of(model::MetadataIndexType type) {
    switch (type) {
        case model::MetadataIndexType::kKeyword:
        case model::MetadataIndexType::kUuid:
            return ValueClass::kText;
        case model::MetadataIndexType::kInteger:
        case model::MetadataIndexType::kFloat:
            return ValueClass::kNumber;
        case model::MetadataIndexType::kBool:
            return ValueClass::kBool;
        case model::MetadataIndexType::kDatetime:
            return ValueClass::kMoment;
    }
    return ValueClass::kText;
}

bool IndexedField::is_behind(uint32_t rows) const {
    return uint64_t{indexed} + kRowsBehindMin <= rows;
}

const IndexedField* MetadataIndexView::find(std::string_view key) const {
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const auto& field) {
        return model::is_same_path(field->declared.key, key);
    });
    return found == fields.end() ? nullptr : found->get();
}

MetadataIndex::MetadataIndex() : view_(std::make_shared<const MetadataIndexView>()) {}

void MetadataIndex::declare(const std::vector<model::MetadataField>& fields) {
    MutexLock lock(mutex_);
    const auto old = view_.load();
    auto next = std::make_shared<MetadataIndexView>();
    for (const model::MetadataField& field : fields) {
        const auto known = std::find_if(old->fields.begin(), old->fields.end(),
                                        [&](const auto& one) { return one->declared == field; });
        if (known != old->fields.end()) {
            next->fields.push_back(*known);
        } else {
            auto made = std::make_shared<IndexedField>();
            made->declared = field;
            next->fields.push_back(std::move(made));
        }
    }
    view_.store(std::move(next));
}

bool MetadataIndex::is_behind(uint32_t rows) const {
    const auto view = view_.load();
    const auto* field = furthest_behind(*view);
    return field != nullptr && (*field)->is_behind(rows);
}

void MetadataIndex::advance(uint32_t rows, ReadMetadata metadata) {
    const auto view = view_.load();
    const auto* field = furthest_behind(*view);
    if (field == nullptr || (*field)->indexed >= rows) {
        return;
    }
    replace(field->get(), extended(**field, rows, metadata));
}

void MetadataIndex::replace(const IndexedField* old, std::shared_ptr<const IndexedField> next_field) {
    MutexLock lock(mutex_);
    auto next = std::make_shared<MetadataIndexView>(*view_.load());
    const auto place = std::find_if(next->fields.begin(), next->fields.end(),
                                    [&](const auto& field) { return field.get() == old; });
    if (place == next->fields.end()) {
        return;
    }
    *place = std::move(next_field);
    view_.store(std::move(next));
}

}  // namespace akidb::index
